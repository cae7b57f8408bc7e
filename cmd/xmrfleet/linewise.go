package main

import "bytes"

// longestLine is from when on a line is handed on in parts.
const longestLine = 1 << 20

// longestSecret is how far behind a cut is looked for the end of one, in bytes.
const longestSecret = 4 << 10

// A linewise is a writer that hands on whole lines, so that what is searched
// for in them is not cut in two. Who is done flushes the rest.
type linewise struct {
	line func(text []byte)   // with its line end, if it has one
	mask func(string) string // hides secrets in a line before it is cut; nil: there are none
	rest []byte
}

func (l *linewise) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		end := bytes.IndexByte(l.rest, '\n') + 1
		if end == 0 && len(l.rest) < longestLine {
			break
		}
		if end == 0 && l.mask != nil {
			l.rest = []byte(l.mask(string(l.rest)))
			end = max(0, len(l.rest)-longestSecret)
		} else if end == 0 {
			end = len(l.rest)
		}
		l.line(l.rest[:end])
		l.rest = l.rest[end:]
	}
	return len(b), nil
}

func (l *linewise) flush() {
	if len(l.rest) > 0 {
		l.line(l.rest)
		l.rest = nil
	}
}
