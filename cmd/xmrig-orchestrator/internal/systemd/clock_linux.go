package systemd

import (
	"syscall"
	"time"
	"unsafe"
)

// SinceBoot returns the time of CLOCK_MONOTONIC, the clock of systemd's
// *Monotonic properties. It goes on when the wall clock is set.
func SinceBoot() (time.Duration, error) {
	const clockMonotonic = 1
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic,
		uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		return 0, errno
	}
	return time.Duration(ts.Nano()), nil
}
