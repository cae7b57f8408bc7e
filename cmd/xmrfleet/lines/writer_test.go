package lines

import (
	"slices"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	var got []string
	w := &Writer{Line: func(text []byte) { got = append(got, string(text)) }}
	for _, part := range []string{"a", "b\nc", "\n\nd\ne", "", "f"} {
		w.Write([]byte(part))
	}
	if want := []string{"ab\n", "c\n", "\n", "d\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.Flush()
	w.Flush()
	if last := got[len(got)-1]; last != "ef" || len(got) != 5 {
		t.Errorf("flushed %q", got)
	}
	got = nil
	w.Write([]byte(strings.Repeat("x", longest+1)))
	if len(got) != 1 || len(got[0]) != longest+1 {
		t.Errorf("%d parts of a long line", len(got))
	}
}
