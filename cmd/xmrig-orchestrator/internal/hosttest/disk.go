package hosttest

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Mount mounts a file system on a directory of the host.
func (h *Host) Mount(name string, args ...string) (dir string) {
	h.T.Helper()
	if os.Getuid() != 0 {
		h.T.Skip("needs root to mount a file system")
	}
	dir = filepath.Join(h.Dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.T.Fatal(err)
	}
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		h.T.Skipf("mount: %v %s", err, out)
	}
	h.T.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	return dir
}

// Fill leaves no room in a directory of 1 MB, until empty.
func (h *Host) Fill(dir string) (empty func()) {
	h.T.Helper()
	file := filepath.Join(dir, "fill")
	if err := os.WriteFile(file, make([]byte, 2<<20), 0o600); err == nil {
		h.T.Fatal("the disk is not full")
	}
	return func() {
		if err := os.Remove(file); err != nil {
			h.T.Fatal(err)
		}
	}
}
