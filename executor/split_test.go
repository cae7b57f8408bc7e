package executor

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSplit(t *testing.T) {
	const in = "banner\nMM up\nout\nMM done 0\nno newlineMM done 3\nM M\nMM idle\nrest"
	const want = `"banner\n" up|"out\n" done 0|"no newline" done 3|"M M\n" idle|"rest" |`
	for name, r := range map[string]interface{ Read([]byte) (int, error) }{
		"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)),
		"with the error": iotest.DataErrReader(strings.NewReader(in)),
	} {
		segments := make(chan segment, 20)
		split(r, "MM", &tap{}, segments)
		var got strings.Builder
		for s := range segments {
			fmt.Fprintf(&got, "%q %s|", s.text, s.mark)
		}
		if got.String() != want {
			t.Errorf("%s: got %s\nwant %s", name, got.String(), want)
		}
	}
}

// TestNothingIsHeldBack looks at the ends of words and of prompts: a command may
// wait behind them, and they are to be seen meanwhile.
func TestNothingIsHeldBack(t *testing.T) {
	mark := newNonce().String()
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;?!>$#%)]} \n" {
		if overlap([]byte(string(c)), mark) != 0 {
			t.Errorf("%q is taken for the beginning of a mark", c)
		}
	}
}
