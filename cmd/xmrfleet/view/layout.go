package view

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules/printable"
)

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

// total is the last line of a report, in several lines where it is too long
// for one.
func (p *Printer) total(text string, took time.Duration) string {
	return p.lastLine(text, Duration(took))
}

// lastLine is total with something else at its end.
func (p *Printer) lastLine(text, beside string) string {
	line := spread(text, beside, p.Width)
	if p.Width > 0 && ansi.StringWidth(line) > p.Width {
		line = ansi.Wrap(text+" "+beside, p.Width, "")
		text = line
	}
	return strings.Replace(line, text, p.bold(text), 1) + "\n"
}

// hang writes a head and a text behind it, wrapped to the width of the
// terminal, so that its further lines begin at a column.
func (p *Printer) hang(out *strings.Builder, head string, column int, text string) {
	out.WriteString(p.flow(head+printable.Text(oneLineOf(text))+"\n", column))
}
