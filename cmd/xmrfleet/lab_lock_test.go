//go:build lab

package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"testing"
)

const lockIsFree = `flock -n /run/xmrfleet/lock true`

// TestSecondApply comes while another waits for approval, and so holds the
// locks. Who only reads does not mind.
func TestSecondApply(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	f.run("apply", "--yes", "-l", "mini-2")
	first := f.startOnTerminal("apply", "-l", "mini-1")
	first.expect("[y/N] ")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	o := f.mustRun(exitLocked, "apply", "--yes")
	contains(t, o.stdout, "  ! mini-1  lock /run/xmrfleet: held by "+me.Username+"@"+machine+": xmrfleet apply, run ",
		fmt.Sprintf(", pid %d, for ", first.cmd.Process.Pid), "hint: wait until it is done; a run that died loses the lock after 30s",
		"Apply: nothing was changed: 1 of 2 hosts is held by another run.", "hint: --lock-timeout 5m waits")
	f.mustRun(exitChanges, "plan", "-l", "mini-1", "--detailed-exitcode")
	contains(t, f.mustRun(exitPartial, "status", "-l", "mini-1").stdout, "mini-1  absent")

	first.answer("y\r")
	first.wait(exitDone)
	f.sh("mini-1", lockIsFree) // although the miner and the agent run
	f.converged()
	f.sh("mini-1", lockIsFree)
}

// TestKilledHolder frees its lock at once, and without a trace.
func TestKilledHolder(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.mark("mini-1")
	first := f.startOnTerminal("apply")
	first.expect("[y/N] ")
	f.mustRun(exitLocked, "apply", "--yes")
	first.signal(syscall.SIGKILL)
	first.wait(-1)
	f.until("mini-1", lockIsFree)
	f.untouched("mini-1")
	f.apply()
}

// TestSilentHolder sleeps, as a notebook does, behind a cable that was cut
// meanwhile. After half a minute the next run ends it.
func TestSilentHolder(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	first := f.startOnTerminal("apply")
	first.expect("[y/N] ")
	first.signal(syscall.SIGSTOP)
	host := f.lab.Host("mini-1")
	if err := host.Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := host.Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.silentFor("mini-1", 1)
	contains(t, f.mustRun(exitLocked, "apply", "--yes").stdout, "held by ")
	f.silentFor("mini-1", 15)
	contains(t, f.mustRun(exitLocked, "apply", "--yes").stdout, "held by ")
	f.silentFor("mini-1", 31)
	o := f.apply()
	contains(t, o.stdout, "Apply: 1 of 1 host converged")
	f.sh("mini-1", lockIsFree)

	first.answer("y\r")
	first.signal(syscall.SIGCONT)
	contains(t, first.wait(exitPartial).stdout, "mini-1  no change completed: run command: another run took the host over: this one gave no sign of life for 30s")
	f.converged()
}

// silentFor makes it so many seconds since the holder of a host's lock gave a sign
// of life, which is the last word of the lock's record.
func (f *fleet) silentFor(host string, seconds int) {
	f.t.Helper()
	f.sh(host, `read -r up _ </proc/uptime; sed -i "2s/[^ ]*$/$((${up%%.*} - $1))/" /run/xmrfleet/holder`, strconv.Itoa(seconds))
}

// TestNoLock is about hosts that can be read and not be locked.
func TestNoLock(t *testing.T) {
	f := newFleet(t, `host "directory" {}`+"\n"+`host "no-flock" {}`, "directory", "no-flock")
	f.sh("directory", `mkdir -p /run/xmrfleet/lock`)
	f.sh("no-flock", `mv /usr/bin/flock /usr/bin/flocked`)
	for _, host := range []string{"directory", "no-flock"} {
		f.mark(host)
	}
	f.mustRun(exitChanges, "plan", "--detailed-exitcode")
	o := f.mustRun(exitError, "apply", "--yes")
	contains(t, section(o.stdout, "directory"), "lock /run/xmrfleet: ", "Is a directory")
	contains(t, section(o.stdout, "no-flock"), "lock /run/xmrfleet: flock: not found (package util-linux)")
	for _, host := range []string{"directory", "no-flock"} {
		f.untouched(host)
	}
}
