package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// A trackedConn keeps when something last came from its peer, and what came
// first.
type trackedConn struct {
	net.Conn
	heard atomic.Int64 // Unix nanoseconds
	mu    sync.Mutex
	head  []byte
}

const maxHead = 256 // of the lines that may come before the protocol

func (c *trackedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
		c.mu.Lock()
		c.head = append(c.head, b[:min(n, maxHead-len(c.head))]...)
		c.mu.Unlock()
	}
	return n, err
}

func (c *trackedConn) greeting() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.head)
}

// A connection leads to a host: as a client that logged in, or as a session
// that an OpenSSH master opened.
type connection struct {
	*ssh.Client // nil: a master opened the session
	closer      io.Closer
	heard       *atomic.Int64 // when the host was last heard of, in Unix nanoseconds
	ask         func() error  // a question that only the host can answer
	ended       chan struct{} // closed when the connection is no more
	once        sync.Once
	cause       error // why we ended it; read after fail or ended
}

func newConnection(client *ssh.Client, raw *trackedConn) *connection {
	c := &connection{Client: client, closer: raw, heard: &raw.heard, ended: make(chan struct{})}
	c.ask = func() error {
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		return err
	}
	go func() {
		client.Wait()
		close(c.ended)
	}()
	return c
}

// fail ends the connection. The cause of the first call is kept.
func (c *connection) fail(cause error) {
	c.once.Do(func() { c.cause = cause })
	c.closer.Close()
}

// failure returns why the connection was ended on this side, or nil.
func (c *connection) failure() error {
	c.once.Do(func() {})
	return c.cause
}

// explain ends the connection and returns e. If this side had ended it before, e
// gets the cause of that.
func (c *connection) explain(ctx context.Context, e *Error) error {
	cause := c.failure()
	c.fail(nil)
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		e.Reason, e.Err = TimedOut, fmt.Errorf("%w; the host finishes what it has begun", cause)
	case ctx.Err() != nil && cause != nil:
		e.Reason, e.Err = Canceled, cause
	case cause != nil:
		e.Err = cause
	}
	return e
}

// watch asks the host from time to time whether it is there, and ends the
// connection when nothing at all comes back: neither the answer nor any other
// byte, as during a long upload. There is never a second question before the
// first is answered.
func (c *connection) watch(t timing) {
	ticker := time.NewTicker(t.keepalive)
	defer ticker.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-ticker.C:
		}
		asked := time.Now()
		answer := make(chan error, 1)
		go func() { answer <- c.ask() }()
		for waiting := true; waiting; {
			last := max(asked.UnixNano(), c.heard.Load())
			select {
			case <-c.ended:
				return
			case <-answer:
				// An error ends a client by itself. A master whose socket is
				// gone still serves our session.
				waiting = false
			case <-time.After(time.Until(time.Unix(0, last).Add(t.silence))):
				if c.heard.Load() <= last {
					c.fail(fmt.Errorf("no sign of life for %s", t.silence))
					return
				}
			}
		}
	}
}
