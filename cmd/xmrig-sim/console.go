//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// A console writes XMRig's log, without colours. It is safe for concurrent use.
type console struct {
	mu sync.Mutex
	w  io.Writer
}

// openConsole returns a console on f, or a silent one where XMRig would be
// silent: it writes to a terminal, a pipe or a unix socket only (XMRig source
// ConsoleLog.cpp:93-97).
func openConsole(f *os.File) *console {
	info, err := f.Stat()
	if err != nil {
		return &console{w: io.Discard}
	}
	heard := info.Mode()&os.ModeNamedPipe != 0
	switch {
	case info.Mode()&os.ModeSocket != 0:
		address, _ := syscall.Getsockname(int(f.Fd()))
		_, heard = address.(*syscall.SockaddrUnix)
	case info.Mode()&os.ModeCharDevice != 0:
		var t syscall.Termios
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&t)))
		heard = errno == 0
	}
	if !heard {
		return &console{w: io.Discard}
	}
	return &console{w: f}
}

// printf writes a line with the time and a tag like "net".
func (c *console) printf(tag, format string, args ...any) {
	c.raw("[%s]  %-8s %s\n", time.Now().Format("2006-01-02 15:04:05.000"), tag, fmt.Sprintf(format, args...))
}

// item writes a line of the summary at the start.
func (c *console) item(name, format string, args ...any) {
	c.raw("%s\n", strings.TrimRight(fmt.Sprintf(" * %-13s%s", name, fmt.Sprintf(format, args...)), " "))
}

func (c *console) raw(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.w, format, args...)
}

// speeds writes three rates as XMRig's log does.
func speeds(rates []any) string {
	words := make([]string, len(rates))
	for i, r := range rates {
		words[i] = "n/a"
		if r != nil {
			words[i] = fmt.Sprint(r)
		}
	}
	return strings.Join(words, " ")
}
