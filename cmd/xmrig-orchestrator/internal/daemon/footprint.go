package daemon

import "runtime/debug"

// limitFootprint keeps the agent small while it runs: a heap of 2 MB instead of
// 7 after a few hours. reduceFootprint does the rest after each poll.
func (d *daemon) limitFootprint() {
	debug.SetGCPercent(20)
	err := disableHugePages()
	if err == nil {
		d.code, err = codeRegions()
	}
	if err != nil {
		d.log.Warn("settle memory", "error", err)
	}
}

// reduceFootprint gives to the kernel what a poll leaves in memory: unused
// heap, and the pages of the program, which the page cache keeps anyway.
func reduceFootprint(code []region) {
	debug.FreeOSMemory()
	releaseCode(code)
}
