// Package printable makes text of others harmless for a terminal: what a host,
// a program or a file says must not move the cursor, change colours, hide
// characters or turn a line around.
//
// There is one rule of what is harmful, for both programs: characters of
// control (Cc) but for line ends and tabs, and characters of format (Cf), among
// them those that change the direction of writing. The package knows nothing of
// secrets, colours or widths. What else turns out to be harmful is a case of
// harmful, and then so for all texts.
package printable

import (
	"fmt"
	"strings"
	"unicode"
)

func harmful(r rune) bool {
	return r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf)
}

// Text returns s without what is harmful and without what is not UTF-8.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if harmful(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}

// Line is Text in one line: lines are trimmed and joined by "; ", empty ones
// left out.
func Line(s string) string {
	var lines []string
	for line := range strings.Lines(Text(s)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// Spelled returns s with what is harmful written out as \u001b, for texts of
// which a reader has to see that it is there, as the source of a file.
func Spelled(s string) string {
	var out strings.Builder
	for _, r := range s {
		if harmful(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
