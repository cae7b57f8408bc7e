package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
)

// An output is standard output, and remembers why something did not get there.
// That nobody reads on is no such reason.
type output struct {
	w      io.Writer
	unread chan struct{} // closed when nobody reads on

	mu  sync.Mutex
	err error // the first one
}

func newOutput(w io.Writer) *output { return &output{w: w, unread: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err == nil {
		return n, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !errors.Is(err, syscall.EPIPE):
		o.err = cmp.Or(o.err, err)
	case !o.closed():
		close(o.unread)
	}
	return n, err
}

// closed reports whether nobody reads on.
func (o *output) closed() bool {
	select {
	case <-o.unread:
		return true
	default:
		return false
	}
}

// failed reports whether something is lost that somebody wanted to read.
func (o *output) failed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err != nil
}

// whileRead is a context that also ends when nobody reads on: for work that is
// nothing without its output.
func (o *output) whileRead(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-o.unread:
			cancel(interruption("nobody reads its output"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
