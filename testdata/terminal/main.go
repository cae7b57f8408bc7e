// Command terminal turns what a terminal shows, text with ANSI colours on
// standard input, into a picture in SVG: `tmux capture-pane -pe | terminal`.
package main

import (
	"bufio"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Of a character cell, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 19
	margin     = 16
)

var colours = map[string]string{
	"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "91": "#ff7b72", "92": "#7ee787", "93": "#e3b341",
}

var sequence = regexp.MustCompile(`\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[a-zA-Z]|\x1b\([A-Z0-9]|\x0f`)

func main() {
	var lines []string
	width := 0
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		line := strings.TrimRight(in.Text(), " \r")
		lines = append(lines, line)
		width = max(width, utf8.RuneCountInString(sequence.ReplaceAllString(line, "")))
	}
	w, h := float64(width)*cellWidth+2*margin, len(lines)*cellHeight+2*margin
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\" fill=\"#e6edf3\">\n", w, h)
	fmt.Fprintf(out, "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#0d1117\"/>\n")
	for i, line := range lines {
		fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", margin, margin+(i+1)*cellHeight-5, spans(line))
	}
	fmt.Fprintln(out, "</svg>")
}

// spans turns the colours of a line into elements.
func spans(line string) string {
	var out strings.Builder
	attributes := ""
	text := func(s string) {
		switch {
		case s == "":
		case attributes == "":
			out.WriteString(html.EscapeString(s))
		default:
			fmt.Fprintf(&out, "<tspan%s>%s</tspan>", attributes, html.EscapeString(s))
		}
	}
	for line != "" {
		at := sequence.FindStringSubmatchIndex(line)
		if at == nil {
			break
		}
		text(line[:at[0]])
		if at[2] >= 0 {
			for _, code := range strings.Split(line[at[2]:at[3]], ";") {
				switch {
				case code == "" || code == "0" || code == "39" || code == "22":
					attributes = ""
				case code == "1":
					attributes += ` font-weight="bold"`
				case code == "2":
					attributes += ` fill-opacity="0.6"`
				case colours[code] != "":
					attributes += fmt.Sprintf(" fill=%q", colours[code])
				}
			}
		}
		line = line[at[1]:]
	}
	text(line)
	return out.String()
}
