package executor

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// A trackedConn knows when its peer was last heard of, and what it said first.
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

// A connection is an authenticated client.
type connection struct {
	*ssh.Client
	raw   *trackedConn
	ended chan struct{} // closed when the connection is no more
	once  sync.Once
	cause error // why we ended it; read after fail or ended
}

func newConnection(client *ssh.Client, raw *trackedConn) *connection {
	c := &connection{Client: client, raw: raw, ended: make(chan struct{})}
	go func() {
		client.Wait()
		close(c.ended)
	}()
	return c
}

// fail ends the connection and remembers why, if it is the first to do so.
func (c *connection) fail(cause error) {
	c.once.Do(func() { c.cause = cause })
	c.raw.Close()
}

// failure returns why the connection was ended on this side, or nil.
func (c *connection) failure() error {
	c.once.Do(func() {})
	return c.cause
}

// watch asks the host from time to time whether it is there, and ends the
// connection when nothing at all comes back: neither the answer nor any other
// byte, as during a long upload. There is never a second question, since the
// first one holds x/crypto's lock.
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
		go func() {
			_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
			answer <- err
		}()
		for waiting := true; waiting; {
			last := max(asked.UnixNano(), c.raw.heard.Load())
			select {
			case <-c.ended:
				return
			case <-answer: // an error ends the connection by itself
				waiting = false
			case <-time.After(time.Until(time.Unix(0, last).Add(t.silence))):
				if c.raw.heard.Load() <= last {
					c.fail(fmt.Errorf("no sign of life for %s", t.silence))
					return
				}
			}
		}
	}
}
