package main

import (
	"context"
	"os"
	"sync"

	"xmrfleet/plan"
)

// A stopCause is why a context ended by a signal. It is what errors say.
type stopCause string

func (c stopCause) Error() string { return string(c) }

// Is makes errors.Is find what the end of a context usually is.
func (c stopCause) Is(target error) bool { return target == context.Canceled }

// signals are those that the run got. The first closes stop: nothing new
// starts. A second one ends the context of everything that runs, and the third
// closes leave: nobody waits any more.
type signals struct {
	stop, leave chan struct{}

	mu    sync.Mutex
	first os.Signal
}

// watch turns signals into the end of the run, step by step.
func (s *signals) watch(from <-chan os.Signal, cancel context.CancelCauseFunc) {
	first := <-from
	s.mu.Lock()
	s.first = first
	s.mu.Unlock()
	close(s.stop)
	<-from
	cancel(stopCause("abandoned"))
	<-from
	close(s.leave)
}

// interruptedBy is the first signal, or nil.
func (s *signals) interruptedBy() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// unlessStopped is a context that also ends with the first signal: for work
// that changes nothing.
func (s *signals) unlessStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.stop:
			cancel(stopCause(plan.ErrInterrupted.Error()))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (s *signals) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
