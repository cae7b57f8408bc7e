package hcl

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"xmrfleet/modules/printable"
)

// Write prints all diagnostics for people, as Terraform does: the summary, the
// source line with its place marked, the detail. Detail is wrapped at width
// columns; 0 leaves it as it is. With colour the text is the same and ANSI
// sequences are added.
func (ds Diagnostics) Write(w io.Writer, width int, colour bool) error {
	var out bytes.Buffer
	for i, d := range ds {
		if i > 0 {
			out.WriteByte('\n')
		}
		d.write(&out, width, palette{on: colour, accent: accents[d.Severity]})
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (d Diagnostic) write(out *bytes.Buffer, width int, p palette) {
	title := map[Severity]string{Error: "Error: ", Warning: "Warning: "}[d.Severity]
	fmt.Fprintf(out, "%s%s\n", p.accented(title), p.bold(printable.Spelled(d.Summary)))
	if d.Range != nil {
		in := ""
		if d.Snippet != nil && d.Snippet.Context != "" {
			in = ", in " + d.Snippet.Context
		}
		fmt.Fprintf(out, "\n  on %s line %d%s:\n", printable.Spelled(d.Range.Filename), d.Range.Start.Line, printable.Spelled(in))
	}
	if d.Snippet != nil {
		d.Snippet.write(out, p)
	}
	if d.Detail != "" {
		fmt.Fprintf(out, "\n%s\n", wrap(printable.Spelled(d.Detail), width))
	}
}

func (s *Snippet) write(out *bytes.Buffer, p palette) {
	before := tail(printable.Spelled(s.Code[:s.HighlightStart]))
	marked := head(printable.Spelled(s.Code[s.HighlightStart:s.HighlightEnd]))
	after := head(printable.Spelled(s.Code[s.HighlightEnd:]))
	fmt.Fprintf(out, "%4d: %s%s%s\n", s.StartLine, before, p.bold(marked), after)
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	carets := strings.Repeat("^", max(1, utf8.RuneCountInString(marked)))
	fmt.Fprintf(out, "      %s%s\n", pad, p.accented(carets))
}

// mostShown is how many characters of a line are shown before, of and after
// what is wrong: a file may be one long line, or no text at all.
const mostShown = 300

func head(s string) string {
	if runes := []rune(s); len(runes) > mostShown {
		return string(runes[:mostShown]) + "…"
	}
	return s
}

func tail(s string) string {
	if runes := []rune(s); len(runes) > mostShown {
		return "…" + string(runes[len(runes)-mostShown:])
	}
	return s
}

// A palette adds ANSI sequences to text, or not.
type palette struct {
	on     bool
	accent string
}

var accents = map[Severity]string{Error: "31", Warning: "33"}

func (p palette) bold(s string) string     { return p.sgr("1", s) }
func (p palette) accented(s string) string { return p.sgr("1;"+p.accent, s) }

func (p palette) sgr(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// wrap breaks lines at spaces so that they fit into width columns. Lines that
// start with a space are left alone.
func wrap(s string, width int) string {
	if width <= 0 {
		return s
	}
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(line, " ") {
			out = append(out, line)
			continue
		}
		current := ""
		for word := range strings.SplitSeq(line, " ") {
			switch {
			case current == "":
				current = word
			case utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) > width:
				out = append(out, current)
				current = word
			default:
				current += " " + word
			}
		}
		out = append(out, current)
	}
	return strings.Join(out, "\n")
}
