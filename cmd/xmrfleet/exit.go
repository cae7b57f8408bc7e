package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
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

// end reports that the run is over, and why if nobody did yet, and returns its
// exit code: a run whose only result was text that is lost has failed.
func (p *Program) end(err error, began time.Time) int {
	signal := p.interruptedBy()
	code, known := p.codeOf(err, signal)
	if !known {
		p.report.Report(view.Failed{Err: err})
	}
	e := view.Finished{Command: p.command, Code: code, Outcome: outcomes[code], Hosts: view.Tally(p.hosts), Took: time.Since(began)}
	if signal != nil {
		e.Signal = signal.String()
	}
	if p.report != nil { // nil: all that was asked for was help
		p.report.Report(e)
	}
	stderr := view.NewPrinter(p.Stderr, p.err.Colour, p.err.Width)
	if p.close != nil {
		if err := p.close(); err != nil {
			stderr.Error(err)
		}
	}
	if p.output.err != nil {
		stderr.Error(fmt.Errorf("write output: %w", p.output.err))
		if code == exitDone && p.hosts.Changed == 0 {
			return exitError
		}
	}
	return code
}

// codeOf is the exit code of a run that a command ended with err. It also says
// whether the user knows why.
func (p *Program) codeOf(err error, signal os.Signal) (code int, known bool) {
	var reported exitCode
	switch {
	case signal != nil:
		return signalCode(signal), true
	case err == nil:
		return exitDone, true
	case errors.As(err, &reported):
		return int(reported), true
	case errors.Is(err, syscall.EPIPE), errors.Is(err, p.output.err): // nobody reads on, or end tells
		return exitError, true
	case errors.As(err, new(usageError)):
		return exitUsage, false
	case hint.KindOf(err) == plan.Stale:
		return exitDeclined, false
	}
	return exitError, false
}

var outcomes = map[int]string{
	exitDone: "done", exitError: "failed", exitChanges: "changes", exitPartial: "partial", exitDeclined: "refused",
	exitLocked: "locked", exitUsage: "usage", exitInterrupted: "interrupted", exitTerminated: "terminated",
}

func signalCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}
