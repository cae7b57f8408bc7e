package executor

import (
	"os/exec"
	"strings"
	"testing"
)

// A script of which a part arrives before the connection breaks could do
// anything: rm -r /var/lib/x is the beginning of rm -r /var/lib/x/old.
func TestPartOfAScriptIsNotRun(t *testing.T) {
	whole := "echo ran\n"
	for _, test := range []struct{ in, want string }{
		{"9\n" + whole, "ran\n"},
		{"9\n" + whole + "9\n" + whole, "ran\nran\n"},
		{"9\n" + whole + "9\necho ran", "ran\n"},
		{"10\n" + whole, ""},
		{"9", ""},
		{"9\n", ""},
		{"x\n" + whole, ""},
		{"", ""},
	} {
		// sudo is a shell function here for whoever runs the test.
		cmd := exec.Command("/bin/sh", "-c", "sudo() { shift; \"$@\"; }\n"+feedScript, "feed", "A", "B", "", hostPath, "root")
		cmd.Stdin = strings.NewReader(test.in)
		out, err := cmd.Output()
		if got, _, _ := strings.Cut(string(out), "AB end "); got != test.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", test.in, got, err, test.want)
		}
	}
}

func TestExecLineHidesNothingFromShells(t *testing.T) {
	line := execLine(nonce{"aa", "bb"}, hostPath, "root", []byte("9\necho 'x' \"$y\" !z\n"))
	inside, _, _ := strings.Cut(strings.TrimPrefix(line, `exec /bin/sh -c 'eval "$(printf %s `), " ")
	for _, r := range inside {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r) {
			t.Errorf("%q in %s", r, line)
		}
	}
	if strings.Contains(line, "aabb") || strings.ContainsAny(line, "!\n\\`") {
		t.Errorf("line: %s", line)
	}
}
