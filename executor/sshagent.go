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

// sshAgents holds one connection to each ssh-agent, by its socket. An agent's
// keys are listed once, for all hosts.
type sshAgents struct {
	mu       sync.Mutex
	bySocket map[string]*sshAgent
}

// An sshAgent is the connection to an ssh-agent(1), and the keys that it has.
type sshAgent struct {
	socket string
	touch  time.Duration // how long a signature may take
	turn   chan struct{} // one signature at a time: a person may have to touch a key

	ready chan struct{} // closed when the next two are set
	conn  net.Conn      // nil: there is none
	keys  []offer
}

// sshAgentKeys returns the keys of the ssh-agent at socket, which sign until ctx
// ends. Of an agent that is not there or does not answer there are none; a
// warning says so once.
func (d *Dialer) sshAgentKeys(ctx context.Context, socket string) []offer {
	if socket == "" {
		return nil
	}
	d.sshAgents.mu.Lock()
	a := d.sshAgents.bySocket[socket]
	if a == nil {
		a = &sshAgent{socket: socket, touch: d.timing.touch, turn: make(chan struct{}, 1), ready: make(chan struct{})}
		if d.sshAgents.bySocket == nil {
			d.sshAgents.bySocket = map[string]*sshAgent{}
		}
		d.sshAgents.bySocket[socket] = a
		go d.openSSHAgent(a)
	}
	d.sshAgents.mu.Unlock()
	select {
	case <-a.ready:
	case <-ctx.Done():
		return nil
	}
	keys := make([]offer, len(a.keys))
	for i, key := range a.keys {
		keys[i] = offer{sshAgentSigner{key.AlgorithmSigner, a, ctx}, key.from}
	}
	return keys
}

// openSSHAgent runs on the dialer's context and not on that of the first host,
// because other hosts wait for it as well.
func (d *Dialer) openSSHAgent(a *sshAgent) {
	defer close(a.ready)
	ctx, cancel := context.WithTimeout(d.context, d.ConnectTimeout)
	defer cancel()
	err := a.list(ctx)
	if err != nil && d.context.Err() == nil {
		d.Log.Warn(unreachable("ssh-agent "+a.socket, err, d.ConnectTimeout).Error())
	}
}

func (a *sshAgent) list(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", a.socket)
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
	a.conn = conn
	for _, s := range signers {
		from := "agent"
		if key, ok := s.PublicKey().(*agent.Key); ok && key.Comment != "" {
			from = "agent: " + key.Comment
		}
		a.keys = append(a.keys, offer{s.(ssh.AlgorithmSigner), from})
	}
	return nil
}

// An sshAgentSigner has an ssh-agent sign until ctx ends. The context is a field
// because ssh.AlgorithmSigner takes none.
type sshAgentSigner struct {
	ssh.AlgorithmSigner
	agent *sshAgent
	ctx   context.Context
}

// SignWithAlgorithm closes the connection to an agent that hangs, for all hosts.
func (s sshAgentSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	release, err := acquire(s.ctx, s.agent.turn)
	if err != nil {
		return nil, err
	}
	var signature *ssh.Signature
	done := make(chan error, 1)
	go func() {
		defer release()
		timer := time.AfterFunc(s.agent.touch, func() { s.agent.conn.Close() })
		made, err := s.AlgorithmSigner.SignWithAlgorithm(rand, data, algorithm)
		if !timer.Stop() {
			err = fmt.Errorf("no signature within %s", s.agent.touch)
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
		return nil, fmt.Errorf("ssh-agent %s: %w", s.agent.socket, err)
	}
	return signature, nil
}

func (a *sshAgents) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, one := range a.bySocket {
		<-one.ready // at once: the dialer's context has ended
		if one.conn != nil {
			if err := one.conn.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	a.bySocket = nil
	return errors.Join(errs...)
}
