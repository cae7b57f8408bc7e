// Command terminal-svg turns what a terminal shows, text with ANSI colours on
// standard input, into a picture in SVG on standard output. It is never shipped;
// testdata/capture.sh makes the picture of README.md with it. It knows the
// colours that xmrfleet uses; others are added to colours, other attributes to
// style.set.
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
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	w, h := float64(width)*cellWidth+2*margin, len(lines)*cellHeight+2*margin
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\" fill=\"#e6edf3\">\n", w, h)
	fmt.Fprintf(out, "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#0d1117\"/>\n")
	var s style
	for i, line := range lines {
		fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", margin, margin+(i+1)*cellHeight-5, s.spans(line))
	}
	fmt.Fprintln(out, "</svg>")
}

// A style is what the following text looks like.
type style struct {
	colour      string
	bold, faint bool
}

// set takes a code of ECMA-48, SGR. Unknown ones say nothing.
func (s *style) set(code string) {
	switch {
	case code == "" || code == "0":
		*s = style{}
	case code == "1":
		s.bold = true
	case code == "2":
		s.faint = true
	case code == "22":
		s.bold, s.faint = false, false
	case code == "39":
		s.colour = ""
	case colours[code] != "":
		s.colour = colours[code]
	}
}

func (s *style) text(text string) string {
	text = html.EscapeString(text)
	if *s == (style{}) || text == "" {
		return text
	}
	var attributes string
	if s.colour != "" {
		attributes += fmt.Sprintf(" fill=%q", s.colour)
	}
	if s.bold {
		attributes += ` font-weight="bold"`
	}
	if s.faint {
		attributes += ` fill-opacity="0.6"`
	}
	return "<tspan" + attributes + ">" + text + "</tspan>"
}

// spans turns the colours of a line into elements. The style goes on in the
// next line.
func (s *style) spans(line string) string {
	var out strings.Builder
	for line != "" {
		at := sequence.FindStringSubmatchIndex(line)
		if at == nil {
			break
		}
		out.WriteString(s.text(line[:at[0]]))
		if at[2] >= 0 {
			for code := range strings.SplitSeq(line[at[2]:at[3]], ";") {
				s.set(code)
			}
		}
		line = line[at[1]:]
	}
	out.WriteString(s.text(line))
	return out.String()
}
