package view

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"xmrfleet/modules/printable"
)

const (
	context = 1  // equal lines around a difference
	indent  = 12 // columns before a line
)

// diff prints the lines in which two texts differ.
func (p *Printer) diff(out *strings.Builder, before, after string) {
	if before == after {
		return
	}
	edits := udiff.Lines(before, after)
	unified, err := udiff.ToUnifiedDiff("", "", before, edits, context)
	if err != nil {
		panic(err) // the edits were made from these texts
	}
	for i, hunk := range unified.Hunks {
		if i > 0 {
			fmt.Fprintf(out, "            %s\n", p.faint("..."))
		}
		margin := commonMargin(hunk.Lines)
		for _, line := range hunk.Lines {
			text := p.cut(printable.Text(strings.TrimSuffix(line.Content, "\n")[margin:]), indent+len("- "))
			switch line.Kind {
			case udiff.Delete:
				text = p.red("- " + text)
			case udiff.Insert:
				text = p.green("+ " + text)
			default:
				text = "  " + text
			}
			fmt.Fprintf(out, "%*s%s\n", indent, "", text)
		}
	}
}

// commonMargin is how many blanks every line begins with.
func commonMargin(lines []udiff.Line) int {
	margin := len(lines[0].Content)
	for _, line := range lines {
		text := strings.TrimSuffix(line.Content, "\n")
		margin = min(margin, len(text)-len(strings.TrimLeft(text, " ")))
	}
	return margin
}
