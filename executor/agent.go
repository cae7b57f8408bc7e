package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agents holds the connections to ssh-agents, by socket, and their keys. Keys
// are listed once: a run asks the same question for every host.
type agents struct {
	mu    sync.Mutex
	conns map[string]*agentConn
}

type agentConn struct {
	socket string
	touch  time.Duration // for a signature
	turn   chan struct{} // one signature at a time: a person may have to touch a key

	ready chan struct{} // closed when the next two are set
	conn  net.Conn      // nil: there is none
	keys  []offer
}

// agentKeys returns what the agent at socket has, for use within ctx. An agent
// that is not there or does not answer has nothing, and is warned of once.
func (d *Dialer) agentKeys(ctx context.Context, socket string) []offer {
	if socket == "" {
		return nil
	}
	d.agents.mu.Lock()
	c := d.agents.conns[socket]
	if c == nil {
		c = &agentConn{socket: socket, touch: d.timing.touch, turn: make(chan struct{}, 1), ready: make(chan struct{})}
		if d.agents.conns == nil {
			d.agents.conns = map[string]*agentConn{}
		}
		d.agents.conns[socket] = c
		go d.openAgent(c)
	}
	d.agents.mu.Unlock()
	select {
	case <-c.ready:
	case <-ctx.Done():
		return nil
	}
	keys := make([]offer, len(c.keys))
	for i, key := range c.keys {
		keys[i] = offer{agentSigner{key.AlgorithmSigner, c, ctx}, key.from}
	}
	return keys
}

// openAgent does not heed the context of whoever came first: others wait.
func (d *Dialer) openAgent(c *agentConn) {
	defer close(c.ready)
	ctx, cancel := context.WithTimeout(d.context, d.ConnectTimeout)
	defer cancel()
	err := c.list(ctx)
	if err != nil && d.context.Err() == nil {
		d.Log.Warn(unreachable("ssh-agent "+c.socket, err, d.ConnectTimeout).Error())
	}
}

func (c *agentConn) list(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	signers, err := agent.NewClient(conn).Signers()
	if !stop() {
		return ctx.Err()
	}
	if err != nil {
		conn.Close()
		return err
	}
	c.conn = conn
	for _, s := range signers {
		from := "agent"
		if key, ok := s.PublicKey().(*agent.Key); ok && key.Comment != "" {
			from = "agent: " + key.Comment
		}
		c.keys = append(c.keys, offer{s.(ssh.AlgorithmSigner), from})
	}
	return nil
}

// An agentSigner signs by an agent, within ctx: the interface has no place for
// one.
type agentSigner struct {
	ssh.AlgorithmSigner
	conn *agentConn
	ctx  context.Context
}

// SignWithAlgorithm gives up an agent that hangs, for all who use it.
func (s agentSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	release, err := acquire(s.ctx, s.conn.turn)
	if err != nil {
		return nil, err
	}
	var signature *ssh.Signature
	done := make(chan error, 1)
	go func() {
		defer release()
		timer := time.AfterFunc(s.conn.touch, func() { s.conn.conn.Close() })
		made, err := s.AlgorithmSigner.SignWithAlgorithm(rand, data, algorithm)
		if !timer.Stop() {
			err = fmt.Errorf("no signature within %s", s.conn.touch)
		}
		signature = made
		done <- err
	}()
	select {
	case err = <-done:
	case <-s.ctx.Done():
		return nil, context.Cause(s.ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("ssh-agent %s: %w", s.conn.socket, err)
	}
	return signature, nil
}

func (a *agents) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, c := range a.conns {
		<-c.ready // soon: the dialer's context has ended
		if c.conn != nil {
			if err := c.conn.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	a.conns = nil
	return errors.Join(errs...)
}
