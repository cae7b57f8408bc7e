// Package golden compares what a test gets with a whole text that stands in a
// file, and writes that file anew where the environment has UPDATE_GOLDEN=1:
// `make golden` does it for all packages, and `git diff` shows what changed.
//
// It is for tests only: nothing that is shipped may import it. It compares texts
// as they are. What differs from run to run, such as times, checksums and paths,
// the caller replaces first. It lies here because the tests of every package may
// need it.
package golden

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aymanbagabas/go-udiff"
	"github.com/rogpeppe/go-internal/txtar"
)

// Updating reports whether expected texts are to be written, not compared.
func Updating() bool { return os.Getenv("UPDATE_GOLDEN") == "1" }

// Text fails the test unless got is all that is in the file, and shows the lines
// that differ. A file that does not exist fails the test as well.
func Text(t testing.TB, path, got string) {
	t.Helper()
	if Updating() {
		write(t, path, []byte(got))
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s does not exist; UPDATE_GOLDEN=1 writes it:\n%s", path, got)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	compare(t, path, string(want), got)
}

// archives keeps parallel tests from writing one archive at the same time.
var archives sync.Mutex

// Member is Text for one file of a txtar archive, which is where many short
// texts, or a text and what it was made of, stand together. A member that is not
// there counts as empty.
func Member(t testing.TB, archive, name, got string) {
	t.Helper()
	archives.Lock()
	defer archives.Unlock()
	text, err := os.ReadFile(archive)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	want, found := member(text, name)
	switch {
	case got == want:
	case !Updating():
		compare(t, archive+": "+name, want, got)
	default:
		a := txtar.Parse(text)
		if !found {
			a.Files = append(a.Files, txtar.File{Name: name})
		}
		for i, f := range a.Files {
			if f.Name == name {
				a.Files[i].Data = []byte(got)
			}
		}
		text = txtar.Format(a)
		if kept, _ := member(text, name); kept != got {
			t.Fatalf("%s: %s: an archive cannot hold this text: it has to end with a newline, and no line may look like -- NAME --\n%s", archive, name, got)
		}
		write(t, archive, text)
	}
}

func member(archive []byte, name string) (text string, found bool) {
	for _, f := range txtar.Parse(archive).Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

func compare(t testing.TB, name, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: other lines than expected; if they are right, UPDATE_GOLDEN=1 writes them\n%s", name, udiff.Unified("want", "got", want, got))
	}
}

// write replaces the file unless it has this text already.
func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: written", path)
}
