package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

// A Ctrl-C may come twice: timeout, make and npm pass it on to a program that
// had it from the terminal already.
func TestSignalsAndEchoes(t *testing.T) {
	from, over := make(chan os.Signal), make(chan time.Time)
	s := signals{after: func(d time.Duration) <-chan time.Time {
		if d != echoTime {
			t.Errorf("waits for %s", d)
		}
		return over
	}}
	s.init()
	ctx, cancel := context.WithCancelCause(context.Background())
	go s.watch(from, cancel)

	from <- syscall.SIGTERM
	<-s.stop
	from <- syscall.SIGINT // an echo
	from <- syscall.SIGTERM
	if isClosed(s.again) || ctx.Err() != nil {
		t.Fatal("an echo counts")
	}
	over <- time.Time{}
	<-s.again
	from <- syscall.SIGINT
	<-ctx.Done()
	from <- syscall.SIGINT // an echo of the second
	if isClosed(s.leave) {
		t.Fatal("the echo of a second signal counts")
	}
	over <- time.Time{}
	from <- syscall.SIGINT
	<-s.leave
	if got := s.interruptedBy(); got != syscall.SIGTERM {
		t.Errorf("interrupted by %v", got)
	}
}
