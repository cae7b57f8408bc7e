package main

import (
	"fmt"
	"syscall"
)

// disableHugePages keeps the kernel from backing a heap of 2 MB with huge
// pages, which on hosts with THP always would cost 3 MB more.
func disableHugePages() error {
	const prSetTHPDisable = 41
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetTHPDisable, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("disable huge pages: %w", errno)
	}
	return nil
}
