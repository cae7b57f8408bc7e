// Package cpu reads how much CPU time a process has used. It does not ask the
// service manager: CPUUsageNSec is not set where there is no cpu controller,
// as in a container.
package cpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is a unit of the times in /proc: 1/USER_HZ s, 100 Hz on every platform
// that Go supports (proc_pid_stat(5), sysconf(3)).
const tick = 10 * time.Millisecond

// Time is the user and system time that all threads of a process have used so
// far, the ended ones included.
func Time(pid int) (time.Duration, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("cpu time: %w", err)
	}
	t, err := parse(string(b))
	if err != nil {
		return 0, fmt.Errorf("cpu time of process %d: %w", pid, err)
	}
	return t, nil
}

// parse reads fields 14 and 15. The second field is the command in brackets,
// which may hold any character, brackets and spaces included.
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
