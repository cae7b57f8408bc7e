package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
)

var numbered = regexp.MustCompile(`^(.*?)(\d{1,9})$`)

// Names lists hosts, in their order, as --limit understands it. Three and
// more that only count up are one range: "m[01-40], mini-1".
func Names(hosts []string) string {
	var list []string
	for len(hosts) > 0 {
		n := counting(hosts)
		if n < 3 {
			list, hosts = append(list, hosts[0]), hosts[1:]
			continue
		}
		from, to := numbered.FindStringSubmatch(hosts[0]), numbered.FindStringSubmatch(hosts[n-1])
		list, hosts = append(list, fmt.Sprintf("%s[%s-%s]", from[1], from[2], to[2])), hosts[n:]
	}
	return strings.Join(list, ", ")
}

// counting is how many hosts from the first on are a range.
func counting(hosts []string) int {
	first := numbered.FindStringSubmatch(hosts[0])
	if first == nil {
		return 1
	}
	width := 0
	if first[2][0] == '0' {
		width = len(first[2])
	}
	from, _ := strconv.Atoi(first[2]) // no error: at most nine digits
	n := 1
	for n < len(hosts) && hosts[n] == fmt.Sprintf("%s%0*d", first[1], width, from+n) {
		n++
	}
	return n
}

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
