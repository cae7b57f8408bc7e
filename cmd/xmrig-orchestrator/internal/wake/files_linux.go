package wake

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Files tell when one of them is written to, on this kernel: what another
// machine writes to a network file system is not seen.
type Files struct {
	fd   int
	file *os.File
	c    chan struct{}
}

// WatchFiles watches nothing yet; see Arm.
func WatchFiles() (*Files, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", os.NewSyscallError("inotify_init1", err))
	}
	f := &Files{fd: fd, file: os.NewFile(uintptr(fd), "inotify"), c: make(chan struct{}, 1)}
	go f.receive()
	return f, nil
}

func (f *Files) receive() {
	buf := make([]byte, 16*syscall.SizeofInotifyEvent)
	for {
		n, err := f.file.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= syscall.SizeofInotifyEvent; {
			event := (*syscall.InotifyEvent)(unsafe.Pointer(&b[0]))
			if event.Mask&syscall.IN_MODIFY != 0 {
				signal(f.c)
			}
			b = b[syscall.SizeofInotifyEvent+event.Len:]
		}
	}
}

// Arm watches a file for its next write. After that the file costs nothing
// until it is armed again, however often it is written to. A file that is not
// there is not watched.
func (f *Files) Arm(path string) error {
	_, err := syscall.InotifyAddWatch(f.fd, path, syscall.IN_MODIFY|syscall.IN_ONESHOT)
	if err == syscall.ENOENT || err == nil {
		return nil
	}
	return fmt.Errorf("watch file %s: %w", path, os.NewSyscallError("inotify_add_watch", err))
}

// C receives when an armed file was written to. It is never closed.
func (f *Files) C() <-chan struct{} { return f.c }

// Close ends the watch.
func (f *Files) Close() error { return f.file.Close() }
