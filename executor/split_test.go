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
