// Package cpu reads how much CPU time a process has used, from proc(5). It does
// not ask systemd, whose CPUUsageNSec is not set where there is no cpu
// controller, as in a container.
package cpu

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in proc(5), 1/USER_HZ s: 100 Hz on every
// platform that Go supports (proc_pid_stat(5), sysconf(3)).
const tick = 10 * time.Millisecond

// Time returns the user and system time that all threads of a process have used
// so far, including threads that have ended. Proc is where proc(5) is mounted.
func Time(proc string, pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("cpu time: %w", err)
	}
	t, err := parse(string(b))
	if err != nil {
		return 0, fmt.Errorf("cpu time of process %d: %w", pid, err)
	}
	return t, nil
}

// parse reads fields 14 and 15 of a stat file. Field 2 is the command in
// brackets, which may contain brackets and spaces itself.
func parse(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("parse %q: too short", stat)
	}
	var ticks uint64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseUint(f, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("parse %q: %w", stat, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
