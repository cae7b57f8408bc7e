package wake

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What wakes and what does not. The kernel queues an event before the write that
// causes it returns, so nobody has to wait for one that does not come.
func TestArm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(*Files) error { return os.WriteFile(path, []byte("x"), 0o600) }
	read := func(*Files) error { _, err := os.ReadFile(path); return err }
	remove := func(*Files) error { return os.Remove(path) }
	arm := func(f *Files) error { return f.Arm(path) }
	for _, tt := range []struct {
		name  string
		steps []func(*Files) error
		want  bool
	}{
		{"a write", []func(*Files) error{write, arm, write}, true},
		{"armed twice", []func(*Files) error{write, arm, arm, write}, true},
		{"not armed", []func(*Files) error{write, write}, false},
		{"not armed again", []func(*Files) error{write, arm, write, heard, write}, false},
		{"armed again", []func(*Files) error{write, arm, write, heard, arm, write}, true},
		{"a read", []func(*Files) error{write, arm, read}, false},
		{"a file that was not there", []func(*Files) error{remove, arm, write}, false},
	} {
		f, err := watchFiles()
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range tt.steps {
			if err := step(f); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		if got := pending(t, f); got != tt.want {
			t.Errorf("%s: woken is %v", tt.name, got)
		}
		f.Close()
	}
}

// heard takes the events so far.
func heard(f *Files) error {
	_, err := syscall.Read(f.fd, make([]byte, 1024))
	return err
}

// pending tells whether there is an event that wakes.
func pending(t *testing.T, f *Files) bool {
	t.Helper()
	buf := make([]byte, 1024)
	n, err := syscall.Read(f.fd, buf)
	if err == syscall.EAGAIN {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return modified(buf[:n])
}
