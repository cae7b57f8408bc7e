package view

import (
	"fmt"
	"strings"
	"xmrfleet/modules/printable"

	"charm.land/lipgloss/v2"
	"github.com/aymanbagabas/go-udiff"
	"github.com/charmbracelet/x/ansi"
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

// cut shortens a line that begins at a column to the width of the terminal.
// Half a secret is not found any more, so secrets are masked before.
func (p *Printer) cut(line string, column int) string {
	if p.Width == 0 {
		return line
	}
	return ansi.Truncate(p.Mask(line), max(20, p.Width-column), "…")
}

// heading is a line about hosts, which stay in one line where it is narrow, as
// they may be copied.
func (p *Printer) heading(mark, hosts, note string) string {
	line := fmt.Sprintf("  %s %s", mark, spread(hosts, note, min(76, max(0, p.Width-4))))
	if p.Width > 0 && ansi.StringWidth(line) > p.Width && note != "" {
		line = fmt.Sprintf("  %s %s\n    %s", mark, hosts, note)
	}
	return line + "\n"
}

// flow breaks lines between words that are longer than the terminal is wide,
// and goes on at a column. A hint stays as it is: it is there to be copied.
func (p *Printer) flow(text string, column int) string {
	if p.Width == 0 {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(p.Mask(text)) {
		line = strings.TrimSuffix(line, "\n")
		if ansi.StringWidth(line) > p.Width && !strings.HasPrefix(strings.TrimSpace(line), "hint:") {
			first, _, _ := strings.Cut(ansi.Wrap(line, p.Width, ""), "\n")
			rest := strings.TrimSpace(strings.TrimPrefix(line, first))
			rest = ansi.Wrap(rest, max(20, p.Width-column), "")
			line = first + "\n" + strings.Repeat(" ", column) + indentRest(rest, strings.Repeat(" ", column))
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// spread puts right at the end of a line of width columns, or behind left
// where there is no room or no width.
func spread(left, right string, width int) string {
	if right == "" {
		return left
	}
	gap := width - lipgloss.Width(left) - lipgloss.Width(right)
	return left + strings.Repeat(" ", max(4, gap)) + right
}
