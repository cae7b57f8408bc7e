package view

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A grid is a table that keeps to the width of the terminal: columns that
// matter less are left out, and a note for which no room is left beside its
// row goes below it. Where there is no terminal, all of it is printed, a line
// a row.
type grid struct {
	columns []gridColumn
	rows    []gridRow
}

type gridColumn struct {
	title string
	rank  int // 0: always there; the higher, the sooner it is left out
	right bool
}

type gridRow struct {
	cells []string // one a column
	note  string   // at the end, or below
}

const (
	gap        = "  "
	noteIndent = "  "
)

// lines are those of the table, its head first. With briefly, a note has one
// line.
func (g grid) lines(width int, briefly bool) []string {
	widths := g.widths(width)
	room := g.fit(widths, width)
	notes := 0
	for _, r := range g.rows {
		notes = max(notes, ansi.StringWidth(r.note))
	}
	beside := width == 0 || notes <= room-len(gap)
	head := gridRow{}
	for _, c := range g.columns {
		head.cells = append(head.cells, c.title)
	}
	if beside && notes > 0 {
		head.note = "NOTE"
	}
	var lines []string
	for _, r := range append([]gridRow{head}, g.rows...) {
		line := g.line(r.cells, widths)
		if beside && r.note != "" {
			line += gap + r.note
		}
		lines = append(lines, strings.TrimRight(line, " "))
		if !beside && r.note != "" {
			lines = append(lines, noteBelow(r.note, width, briefly)...)
		}
	}
	return lines
}

// widths are those of the columns; 0 for one in which nothing stands. The
// first one takes at most half of the terminal.
func (g grid) widths(width int) []int {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		for _, r := range g.rows {
			widths[i] = max(widths[i], ansi.StringWidth(r.cells[i]))
		}
		if widths[i] > 0 || c.rank == 0 {
			widths[i] = max(widths[i], ansi.StringWidth(c.title))
		}
	}
	if width > 0 {
		widths[0] = min(widths[0], max(8, width/2))
	}
	return widths
}

// fit sets the width of those columns to 0 for which there is no room, and
// returns the room that is left.
func (g grid) fit(widths []int, width int) int {
	if width == 0 {
		return 0
	}
	order := make([]int, len(g.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return g.columns[a].rank - g.columns[b].rank })
	room := width + len(gap)
	full := false
	for _, i := range order {
		if widths[i] == 0 {
			continue
		}
		if need := widths[i] + len(gap); g.columns[i].rank == 0 || need <= room && !full {
			room -= need
		} else {
			widths[i], full = 0, true
		}
	}
	return room
}

func (g grid) line(cells []string, widths []int) string {
	var line strings.Builder
	for i, cell := range cells {
		if widths[i] == 0 {
			continue
		}
		if line.Len() > 0 {
			line.WriteString(gap)
		}
		cell = ansi.Truncate(cell, widths[i], "…")
		pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
		if g.columns[i].right {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
	}
	return line.String()
}

// noteBelow breaks a note into lines that stand below its row.
func noteBelow(note string, width int, briefly bool) []string {
	room := max(1, width-len(noteIndent))
	if briefly {
		return []string{noteIndent + ansi.Truncate(note, room, "…")}
	}
	lines := strings.Split(ansi.Wrap(note, room, ""), "\n")
	for i, line := range lines {
		lines[i] = noteIndent + strings.TrimRight(line, " ")
	}
	return lines
}
