package main

import (
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// A tally counts what became of the selected hosts.
type tally view.Tally

// asked counts a host that is what it was asked for, but for err.
func (t *tally) asked(err error) {
	if err == nil {
		t.Done++
		return
	}
	t.Failed++
	switch hint.KindOf(err) {
	case executor.Locked:
		t.Locked++
	case plan.Stale:
		t.Stale++
	}
}

// applied counts a host that had something to do.
func (t *tally) applied(o plan.Outcome) {
	switch {
	case o.Converged():
		t.Done++
		t.Changed++
	case !o.Touched:
		t.Failed++
	default:
		t.Between++
	}
}

// code is the exit code of a run that was not interrupted.
func (t tally) code() int {
	switch {
	case t.Failed+t.Between == 0:
		return exitDone
	case t.Stale > 0 && t.Stale == t.Failed+t.Between:
		return exitDeclined
	case t.Between == 0 && t.Changed == 0 && t.Locked > 0 && t.Locked == t.Failed:
		return exitLocked
	case t.Done+t.Between == 0:
		return exitError
	}
	return exitPartial
}

// executed counts a host of an exec. Of a command that was begun nobody knows
// what it did unless it says that all went well.
func (t *tally) executed(r view.HostExec) {
	switch {
	case r.Err == nil && r.Status == 0:
		t.Done++
	case r.Begun:
		t.Between++
	default:
		t.Failed++
	}
}
