package main

import (
	"context"
	"os"
	"sync"
	"time"

	"xmrfleet/plan"
)

// A stopCause is why a context ended by a signal. It is what errors say.
type stopCause string

func (c stopCause) Error() string { return string(c) }

// Is makes errors.Is find what the end of a context usually is.
func (c stopCause) Is(target error) bool { return target == context.Canceled }

// signals are those that the run got. The first closes stop: nothing new
// starts. A second one ends the context of everything that runs, and the third
// closes leave: nobody waits any more. again is closed once a second one would
// count.
type signals struct {
	stop, again, leave chan struct{}
	after              func(time.Duration) <-chan time.Time

	mu    sync.Mutex
	first os.Signal
}

// echoTime is how long a signal is taken for the echo of the one before:
// timeout, make and npm send one Ctrl-C twice.
const echoTime = time.Second

func (s *signals) init() {
	s.stop, s.again, s.leave = make(chan struct{}), make(chan struct{}), make(chan struct{})
	if s.after == nil {
		s.after = time.After
	}
}

// watch turns signals into the end of the run, step by step.
func (s *signals) watch(from <-chan os.Signal, cancel context.CancelCauseFunc) {
	first := <-from
	s.mu.Lock()
	s.first = first
	s.mu.Unlock()
	close(s.stop)
	s.ignoreEcho(from)
	close(s.again)
	<-from
	cancel(stopCause("abandoned"))
	s.ignoreEcho(from)
	<-from
	close(s.leave)
}

// ignoreEcho takes the signals that are the echo of the last one.
func (s *signals) ignoreEcho(from <-chan os.Signal) {
	over := s.after(echoTime)
	for {
		select {
		case <-from:
		case <-over:
			return
		}
	}
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

func (s *signals) stopped() bool { return isClosed(s.stop) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
