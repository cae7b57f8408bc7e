package wake

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// woken tells whether a channel receives.
func woken(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(2 * time.Minute):
		return false
	}
}

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wake")
	if Ring(path) == nil {
		t.Error("nobody listens, and no error")
	}
	s, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 { // more than anybody reads
		if err := Ring(path); err != nil {
			t.Fatal(err)
		}
	}
	if !woken(s.C()) {
		t.Error("not woken")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket is %v, %v", info.Mode(), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if Ring(path) == nil {
		t.Error("closed, and no error")
	}
}

// The file that a killed agent left does not keep the next one from listening.
func TestListenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wake")
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	first.conn.Close()
	if Ring(path) == nil {
		t.Error("dead, and no error")
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := Ring(path); err != nil || !woken(second.C()) {
		t.Errorf("not woken: %v", err)
	}
}

func TestFiles(t *testing.T) {
	f, err := WatchFiles()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := filepath.Join(t.TempDir(), "file")
	for _, what := range []string{"first", "again"} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Arm(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("y"), 0o600); err != nil {
			t.Fatal(err)
		}
		if !woken(f.C()) {
			t.Errorf("%s: not woken", what)
		}
	}
}

// What another program commits is seen, in either journal mode.
func TestFilesOfSQLite(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			sqlite := func(sql string) {
				t.Helper()
				if out, err := exec.Command("sqlite3", path, sql).CombinedOutput(); err != nil {
					t.Fatalf("%v %s", err, out)
				}
			}
			sqlite("PRAGMA journal_mode = " + mode + "; CREATE TABLE t (x)")
			reader := exec.Command("sqlite3", path) // keeps the -wal file
			in, err := reader.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := reader.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := reader.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { in.Close(); reader.Wait() }()
			in.Write([]byte("INSERT INTO t VALUES (0); SELECT 'up';\n"))
			out.Read(make([]byte, 8))

			f, err := WatchFiles()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, p := range []string{path, path + "-wal"} {
				if err := f.Arm(p); err != nil {
					t.Fatal(err)
				}
			}
			sqlite("INSERT INTO t VALUES (1)")
			if !woken(f.C()) {
				t.Error("not woken")
			}
		})
	}
}
