package wake

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Files are watched for writes by programs of this machine, by inotify(7). What
// another machine writes to a network file system is not noticed.
type Files struct {
	fd   int
	file *os.File
	c    chan struct{}
}

// WatchFiles returns Files of which none is watched yet: see Arm.
func WatchFiles() (*Files, error) {
	f, err := watchFiles()
	if err == nil {
		go f.receive()
	}
	return f, err
}

// watchFiles returns Files whose events nobody receives.
func watchFiles() (*Files, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", os.NewSyscallError("inotify_init1", err))
	}
	return &Files{fd: fd, file: os.NewFile(uintptr(fd), "inotify"), c: make(chan struct{}, 1)}, nil
}

func (f *Files) receive() {
	buf := make([]byte, 16*syscall.SizeofInotifyEvent)
	for {
		n, err := f.file.Read(buf)
		if err != nil {
			return
		}
		if modified(buf[:n]) {
			signal(f.c)
		}
	}
}

// modified tells whether one of the events in b is a write.
func modified(b []byte) (is bool) {
	for len(b) >= syscall.SizeofInotifyEvent {
		event := (*syscall.InotifyEvent)(unsafe.Pointer(&b[0]))
		is = is || event.Mask&syscall.IN_MODIFY != 0
		b = b[syscall.SizeofInotifyEvent+event.Len:]
	}
	return is
}

// Arm watches a file for its next write. Further writes are not noticed until it
// is armed again, so that a file that is written to all the time costs little. A
// file that does not exist is not watched.
func (f *Files) Arm(path string) error {
	_, err := syscall.InotifyAddWatch(f.fd, path, syscall.IN_MODIFY|syscall.IN_ONESHOT)
	if err == syscall.ENOENT || err == nil {
		return nil
	}
	return fmt.Errorf("watch file %s: %w", path, os.NewSyscallError("inotify_add_watch", err))
}

// C receives after one or more armed files were written to. It is never closed.
func (f *Files) C() <-chan struct{} { return f.c }

// Close ends the watching.
func (f *Files) Close() error { return f.file.Close() }
