package view

import (
	"fmt"

	"charm.land/lipgloss/v2"
)

// A Name is a host among others: in lines that stand below each other, names
// have one width and colours that tell them apart.
type Name struct {
	Host  string
	Index int // of the host among the others
	Width int // of the longest name
}

var palette = []lipgloss.Style{
	lipgloss.NewStyle().Foreground(lipgloss.Cyan),
	lipgloss.NewStyle().Foreground(lipgloss.Green),
	lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	lipgloss.NewStyle().Foreground(lipgloss.Magenta),
	lipgloss.NewStyle().Foreground(lipgloss.Blue),
	lipgloss.NewStyle().Foreground(lipgloss.BrightCyan),
	lipgloss.NewStyle().Foreground(lipgloss.BrightGreen),
	lipgloss.NewStyle().Foreground(lipgloss.BrightYellow),
	lipgloss.NewStyle().Foreground(lipgloss.BrightMagenta),
	lipgloss.NewStyle().Foreground(lipgloss.BrightBlue),
}

func (p *Printer) name(n Name) string {
	return p.style(palette[n.Index%len(palette)], fmt.Sprintf("%-*s", n.Width, n.Host))
}

// NamesOf makes the names of hosts stand below each other.
func NamesOf(hosts []string) map[string]Name {
	names := make(map[string]Name, len(hosts))
	width := 0
	for _, h := range hosts {
		width = max(width, len(h))
	}
	for i, h := range hosts {
		names[h] = Name{Host: h, Index: i, Width: width}
	}
	return names
}
