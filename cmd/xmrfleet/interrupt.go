package main

import (
	"context"
	"os"

	"xmrfleet/plan"
)

// An interruption is why a context ended by a signal. It is what errors say.
type interruption string

func (i interruption) Error() string { return string(i) }

// Is makes it what the end of a context usually is.
func (i interruption) Is(target error) bool { return target == context.Canceled }

// watchSignals turns the first signal into a stop, the second into the end of
// all that runs, and the third into that of the program.
func (p *Program) watchSignals(cancel context.CancelCauseFunc) {
	first := <-p.Signals
	p.mu.Lock()
	p.signal = first
	p.mu.Unlock()
	close(p.stop)
	<-p.Signals
	cancel(interruption("abandoned"))
	<-p.Signals
	close(p.leave)
}

// interruptedBy is the first signal, or nil.
func (p *Program) interruptedBy() os.Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signal
}

// unlessStopped is a context that also ends with the first signal: for work
// that changes nothing.
func (p *Program) unlessStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-p.stop:
			cancel(interruption(plan.ErrInterrupted.Error()))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (p *Program) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}
