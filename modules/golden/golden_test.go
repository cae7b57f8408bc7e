package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A recorder is a test that may fail. Fatal ends it.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper()                         {}
func (r *recorder) Logf(format string, args ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said += fmt.Sprintf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }

// said is what a test that runs f says when it fails, "" if it passes.
func said(t *testing.T, f func(t testing.TB)) (text string) {
	r := &recorder{TB: t}
	defer func() {
		if end := recover(); end != nil {
			text = r.said + fmt.Sprint(end)
		}
	}()
	f(r)
	return r.said
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "text")
	hold := func(got string) string { return said(t, func(t testing.TB) { Text(t, path, got) }) }

	t.Setenv("UPDATE_GOLDEN", "")
	if got := hold("one\n"); !strings.Contains(got, "does not exist; UPDATE_GOLDEN=1 writes it:\none\n") {
		t.Errorf("without a file: %q", got)
	}
	t.Setenv("UPDATE_GOLDEN", "1")
	if got := hold("one\ntwo\n"); got != "" || contents(t, path) != "one\ntwo\n" {
		t.Errorf("updated: %q, %q", got, contents(t, path))
	}
	t.Setenv("UPDATE_GOLDEN", "")
	if got := hold("one\ntwo\n"); got != "" {
		t.Errorf("the same text: %q", got)
	}
	if got := hold("one\nthree\n"); !strings.HasSuffix(got, "--- want\n+++ got\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n") {
		t.Errorf("another text: %q", got)
	}
	if got := hold("one\ntwo"); got == "" {
		t.Error("a missing newline passes")
	}
	if contents(t, path) != "one\ntwo\n" {
		t.Errorf("written without being asked: %q", contents(t, path))
	}
}

func TestMember(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.txtar")
	const archive = "A comment.\n-- a --\none\n-- b --\ntwo\n"
	if err := os.WriteFile(path, []byte(archive), 0o644); err != nil {
		t.Fatal(err)
	}
	hold := func(name, got string) string { return said(t, func(t testing.TB) { Member(t, path, name, got) }) }

	t.Setenv("UPDATE_GOLDEN", "")
	if got := hold("a", "one\n"); got != "" {
		t.Errorf("the same text: %q", got)
	}
	if got := hold("a", "uno\n"); !strings.Contains(got, "archive.txtar: a: ") || !strings.HasSuffix(got, "-one\n+uno\n") {
		t.Errorf("another text: %q", got)
	}
	if got := hold("c", "three\n"); got == "" {
		t.Error("a member that is not there passes")
	}
	if contents(t, path) != archive {
		t.Errorf("written without being asked: %q", contents(t, path))
	}

	t.Setenv("UPDATE_GOLDEN", "1")
	if got := hold("a", "uno\n") + hold("c", "three\n"); got != "" {
		t.Errorf("updated: %q", got)
	}
	const updated = "A comment.\n-- a --\nuno\n-- b --\ntwo\n-- c --\nthree\n"
	if got := contents(t, path); got != updated {
		t.Errorf("updated\n got %q\nwant %q", got, updated)
	}
	for _, text := range []string{"no newline", "-- d --\n"} {
		if got := hold("a", text); !strings.Contains(got, "an archive cannot hold this text") {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := contents(t, path); got != updated {
		t.Errorf("a text that it cannot hold was written: %q", got)
	}
}
