// Package lines cuts a stream into lines without cutting what is searched for
// in them: a secret that is masked line by line must not stand in two.
//
// It does not know what a secret is, nor what lines say: who uses a Writer tells it.
package lines

import "bytes"

// longest is from when on a line is handed on in parts, in bytes.
const longest = 1 << 20

// LongestSecret is how far behind a cut the end of a secret is looked for, in
// bytes.
const LongestSecret = 4 << 10

// A Writer hands on whole lines. Who is done calls Flush for the rest.
type Writer struct {
	Line func(text []byte)   // with its line end, if it has one
	Mask func(string) string // hides secrets in a line before it is cut; nil: there are none

	rest []byte
}

func (w *Writer) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		end := bytes.IndexByte(w.rest, '\n') + 1
		if end == 0 && len(w.rest) < longest {
			break
		}
		if end == 0 && w.Mask != nil {
			w.rest = []byte(w.Mask(string(w.rest)))
			end = max(0, len(w.rest)-LongestSecret)
		} else if end == 0 {
			end = len(w.rest)
		}
		w.Line(w.rest[:end])
		w.rest = w.rest[end:]
	}
	return len(b), nil
}

// Flush hands on a last line that has no end.
func (w *Writer) Flush() {
	if len(w.rest) > 0 {
		w.Line(w.rest)
		w.rest = nil
	}
}
