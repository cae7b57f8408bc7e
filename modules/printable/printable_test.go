package printable

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ in, text, line, spelled string }{
		{"", "", "", ""},
		{"plain, tab\tand ünïcode 💡", "plain, tab\tand ünïcode 💡", "plain, tab\tand ünïcode 💡", "plain, tab\tand ünïcode 💡"},
		{"\n  two \r\n\n lines\n", "\n  two \n\n lines\n", "two; lines", "\n  two \\u000d\n\n lines\n"},
		{"\x1b[31mred\x07", "[31mred", "[31mred", `\u001b[31mred\u0007`},
		{"C1 \u009b2J", "C1 2J", "C1 2J", `C1 \u009b2J`},
		{"a\u202eb\u200bc\ufeff", "abc", "abc", `a\u202eb\u200bc\ufeff`},
		{"not \xff\xfe UTF-8", "not  UTF-8", "not  UTF-8", "not \ufffd\ufffd UTF-8"},
	} {
		if got := Text(tt.in); got != tt.text {
			t.Errorf("Text(%q)\n got %q\nwant %q", tt.in, got, tt.text)
		}
		if got := Line(tt.in); got != tt.line {
			t.Errorf("Line(%q)\n got %q\nwant %q", tt.in, got, tt.line)
		}
		if got := Spelled(tt.in); got != tt.spelled {
			t.Errorf("Spelled(%q)\n got %q\nwant %q", tt.in, got, tt.spelled)
		}
	}
}

// No text whatever leaves anything harmful behind.
func TestEveryRune(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		for _, out := range []string{Text(string(r)), Line(string(r)), Spelled(string(r))} {
			for _, left := range out {
				if left != '\n' && left != '\t' && (unicode.IsControl(left) || unicode.Is(unicode.Cf, left)) {
					t.Errorf("%U leaves %U", r, left)
				}
			}
		}
	}
}
