package lastrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/hcl"
)

// A story is told in words: "apply a b / c" converged c and failed on a and b.
func TestNewestFailure(t *testing.T) {
	for story, want := range map[string]string{
		"apply a b / c":                              "apply a b",
		"apply a b /, exec / a b":                    "apply a b",
		"apply a b /, exec c /":                      "exec c",
		"apply a b /, exec c /, exec / c":            "apply a b",
		"apply a b /, apply / a":                     "apply b",
		"apply a b /, apply a /":                     "apply a b",
		"apply a b /, apply / a b c":                 "",
		"apply a b /, apply b / a":                   "apply b",
		"stop a b /, start / a":                      "stop b",
		"stop a /, start a /":                        "start a",
		"exec:x a b /, exec:x / a":                   "exec:x b",
		"exec:x a b /, exec:y / c":                   "", // another command
		"apply a /, exec:x a b /, exec:y / c, ":      "apply a",
		"apply a /, apply /":                         "apply a", // interrupted before it changed any
		"stop a /, apply b /, exec / a b c, start /": "apply b",
	} {
		file := filepath.Join(t.TempDir(), "fleet.hcl")
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		t.Setenv("HOME", t.TempDir())
		for run := range strings.SplitSeq(story, ",") {
			words, done, ok := strings.Cut(strings.TrimSpace(run), "/")
			if !ok {
				continue
			}
			failed := strings.Fields(words)
			command, line, _ := strings.Cut(failed[0], ":")
			if err := Save(file, Run{Command: command, Args: []string{command, "--", line}, Failed: failed[1:]}, strings.Fields(done)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Of(file, "")
		got := ""
		if len(r.Failed) > 0 {
			got = strings.TrimSuffix(r.Command+":"+r.Args[2], ":") + " " + strings.Join(r.Failed, " ")
		}
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", story, got, err, want)
		}
	}
}

// A command may be named, and the record of an older version is understood.
func TestNamedCommand(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	fleet := &hcl.Fleet{Path: filepath.Join(t.TempDir(), "fleet.hcl"), Hosts: []hcl.Host{{Name: "a"}, {Name: "b"}}}
	old, err := path(fleet.Path)
	if err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Dir(old), 0o700)
	if err := os.WriteFile(old, []byte(`{"command":"apply","args":["apply"],"withheld":false,"dir":"/","failed":["b"],"at":"2026-01-02T03:04:05Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(fleet.Path, Run{Command: "exec", Args: []string{"exec"}, Failed: []string{"a"}}, []string{"b"}); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{"": "a", "apply": "b", "exec": "a"} {
		if got, err := Failed(fleet, command); strings.Join(got, " ") != want || err != nil {
			t.Errorf("%q: got %v, %v, want %s", command, got, err, want)
		}
	}
	if _, err := Failed(fleet, "stop"); err == nil || !strings.Contains(err.Error(), "no stop of ") {
		t.Errorf("got %v", err)
	}
}
