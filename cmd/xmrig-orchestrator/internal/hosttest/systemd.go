package hosttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// systemctl shows the file "unit" and writes what else it is told to "calls".
// Then it runs the script "then", if a test wrote one. It starts no program to
// show the unit, because each poll does that.
const systemctl = `#!/bin/sh
dir=${0%/*}
case $1 in
show)
	while IFS= read -r line; do echo "$line"; done <"$dir/unit"
	exit ;;
esac
echo "$*" >>"$dir/calls"
[ ! -e "$dir/then" ] || . "$dir/then"
`

// journalctl prints the file "log".
const journalctl = `#!/bin/sh
cat "${0%/*}/log" 2>/dev/null
:
`

// Scripts for "then".
const (
	// UntilGo lasts until the file "go" is there, or the host is not.
	UntilGo = `while [ ! -e "$dir/go" ] && [ -d "$dir" ]; do sleep 0.02; done`
	// Forever lasts as long as the host, in a child that keeps the output
	// open.
	Forever = `while [ -d "$dir" ]; do sleep 0.1; done & wait`
)

// Runs has systemd show a miner that has been running for an hour. It uses no
// CPU time. Its invocation's ID is its PID.
func (h *Host) Runs(pid, restarts int) {
	h.T.Helper()
	h.writeStat(pid)
	h.Write("unit", fmt.Sprintf(`LoadState=loaded
ActiveState=active
SubState=running
Result=success
InvocationID=%032d
MainPID=%d
NRestarts=%d
ExecMainCode=0
ExecMainStatus=0
ExecMainStartTimestamp=Sun 2026-11-22 22:10:%02d UTC
ExecMainStartTimestampMonotonic=-3600000000
ExecMainExitTimestamp=n/a
`, pid, pid, restarts, pid%60))
}

// Starts has systemd show a miner that is younger than anything that has been
// asked so far.
func (h *Host) Starts(pid int) {
	h.T.Helper()
	h.Runs(pid, 0)
	b, err := os.ReadFile(filepath.Join(h.Dir, "unit"))
	if err != nil {
		h.T.Fatal(err)
	}
	h.Write("unit", strings.Replace(string(b), "Monotonic=-3600000000", "Monotonic=9000000000000000", 1))
}

// Ends has systemd show a miner that is not running.
func (h *Host) Ends(active, sub, result string, code, status, restarts int) {
	h.T.Helper()
	h.Write("unit", fmt.Sprintf(`LoadState=loaded
ActiveState=%s
SubState=%s
Result=%s
InvocationID=00000000000000000000000000000010
MainPID=0
NRestarts=%d
ExecMainCode=%d
ExecMainStatus=%d
ExecMainStartTimestamp=Sun 2026-11-22 22:10:00 UTC
ExecMainStartTimestampMonotonic=-3600000000
ExecMainExitTimestamp=Sun 2026-11-22 23:10:00 UTC
`, active, sub, result, restarts, code, status))
}

// Calls returns what systemctl was told since the last time, but for show.
func (h *Host) Calls() string {
	h.T.Helper()
	b, err := os.ReadFile(filepath.Join(h.Dir, "calls"))
	if err != nil && !os.IsNotExist(err) {
		h.T.Fatal(err)
	}
	before := h.calls
	h.calls = len(b)
	return string(b[before:])
}
