package main

import (
	"os"
	"syscall"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// Exit codes, one table for every command. See README.md.
const (
	exitDone        = 0
	exitError       = 1 // nothing was changed anywhere
	exitChanges     = 2 // plan --detailed-exitcode: there is something to do
	exitPartial     = 3 // some hosts failed, or one is left between two states
	exitDeclined    = 5 // at the prompt, or the saved plan is stale
	exitLocked      = 6
	exitUsage       = 64
	exitInterrupted = 130
	exitTerminated  = 143
)

// An exitCode is an error that has been reported already.
type exitCode int

func (e exitCode) Error() string { return "" }

// tally counts what became of the selected hosts.
type tally struct {
	done    int // as they should be, or changed completely
	failed  int // not, and untouched
	locked  int // of the failed
	stale   int // of the failed: not as in the saved plan
	between int // left between two states
	changed int // of the done: something was changed
}

func (t tally) view() view.Tally {
	return view.Tally{Done: t.done, Changed: t.changed, Failed: t.failed, Locked: t.locked, Stale: t.stale, Between: t.between}
}

// asked counts a host that is what it was asked for, but for err.
func (t *tally) asked(err error) {
	if err == nil {
		t.done++
		return
	}
	t.failed++
	switch hint.KindOf(err) {
	case executor.Locked:
		t.locked++
	case view.Stale:
		t.stale++
	}
}

// applied counts a host that had something to do.
func (t *tally) applied(o plan.Outcome) {
	switch {
	case o.Converged():
		t.done++
		t.changed++
	case !o.Touched:
		t.failed++
	default:
		t.between++
	}
}

// code is the exit code of a run that was not interrupted.
func (t tally) code() int {
	switch {
	case t.failed+t.between == 0:
		return exitDone
	case t.stale > 0 && t.stale == t.failed+t.between:
		return exitDeclined
	case t.between == 0 && t.changed == 0 && t.locked > 0 && t.locked == t.failed:
		return exitLocked
	case t.done+t.between == 0:
		return exitError
	}
	return exitPartial
}

func signalCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}
