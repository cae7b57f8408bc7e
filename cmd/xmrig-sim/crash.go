//go:build linux

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// crash ends the process as a control says: "abort" and "segv" by that signal,
// "exit:N" with that code. It returns only if the text is empty.
func crash(how string) {
	switch code, isExit := strings.CutPrefix(how, "exit:"); {
	case isExit:
		n, _ := strconv.Atoi(code)
		os.Exit(n)
	case how == "abort":
		die(syscall.SIGABRT)
	case how == "segv":
		die(syscall.SIGSEGV)
	}
}

// die ends the process by a signal that the Go runtime would otherwise turn
// into a trace and exit code 2, and leaves no core behind.
func die(s syscall.Signal) {
	syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	var byDefault [32]byte // struct sigaction of the kernel with SIG_DFL
	const maskSize = 8
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&byDefault)), 0, maskSize, 0, 0)
	syscall.Kill(os.Getpid(), s)
	select {}
}
