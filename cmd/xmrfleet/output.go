package main

import (
	"cmp"
	"errors"
	"io"
	"sync"
	"syscall"
)

// An output is standard output, and remembers why something did not get there.
// That nobody reads on is no such reason.
type output struct {
	w   io.Writer
	mu  sync.Mutex
	err error // the first one
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = cmp.Or(o.err, err)
	}
	return n, err
}
