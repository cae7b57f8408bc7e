package main

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrfleet/lines"
)

// TestCaptureHidesSecrets puts one where a line is cut, and one where the rest
// of a stream is dropped.
func TestCaptureHidesSecrets(t *testing.T) {
	const secret = "canary-of-many-letters"
	mask := func(s string) string { return strings.ReplaceAll(s, secret, "(sensitive)") }
	for shift := range len(secret) + 2 {
		var shown strings.Builder
		c := &capture{mask: mask, lines: &lines.Writer{Mask: mask, Line: func(text []byte) { shown.WriteString(mask(string(text))) }}}
		text := strings.Repeat("x", mostCaptured-shift) + secret + strings.Repeat("y", 3*mostCaptured)
		if _, err := io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{strings.NewReader(text)}, make([]byte, 10_007)); err != nil {
			t.Fatal(err)
		}
		kept := c.end()
		if strings.Contains(kept+shown.String(), "canary") {
			t.Errorf("a secret %d bytes before the cut is shown", shift)
		}
		if want := mask(text); shown.String() != want {
			t.Errorf("%d bytes were shown, want %d", shown.Len(), len(want))
		}
		if !strings.HasSuffix(kept, "\n(truncated: "+strconv.Itoa(len(text)-mostCaptured)+" bytes more)\n") {
			t.Errorf("%q at the end", kept[len(kept)-50:])
		}
	}
}
