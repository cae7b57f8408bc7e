package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/modules/printable"
)

// An attempt is what came of connecting to an endpoint: a Trace tells of it.
type attempt struct {
	endpoint  *endpoint
	master    *masterAttempt // nil: no ControlPath was tried
	bastion   *bastion       // that leads to the endpoint; nil: none, or none was tried
	handshake *handshake     // the last one; nil: there was none
}

// connect reaches an endpoint, through its hops, and logs in. An sshd that is
// busy is asked three times in all; nothing is tried again after the handshake.
func (d *Dialer) connect(ctx context.Context, a *attempt, chain []string) (*connection, error) {
	e := a.endpoint
	check, err := d.hostKeys(e)
	if err != nil {
		return nil, err
	}
	if e.jump != "" {
		if a.bastion, err = d.bastion(ctx, e.jump, chain); err != nil {
			return nil, err
		}
	}
	offers := d.offers(ctx, e)
	for try := 1; ; try++ {
		h := &handshake{Dialer: d, endpoint: e, via: a.bastion, check: check, offers: offers}
		a.handshake = h
		c, err := h.do(ctx)
		if err == nil {
			go c.watch(d.timing)
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, givenUp("connect "+e.address(), context.Cause(ctx))
		}
		if !h.busy || try == 3 {
			return nil, h.explain(err)
		}
		pause := time.Duration(try) * (100*time.Millisecond + rand.N(400*time.Millisecond))
		d.Log.Debug("sshd is busy, trying again", "host", e.name, "in", pause, "cause", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// A handshake is one login to an endpoint, whether or not it succeeds, and what
// the two ends showed each other in it.
type handshake struct {
	*Dialer
	*endpoint
	via    *bastion // nil: it is reached directly
	check  *hostKeyCheck
	offers *offers

	hostKey  ssh.PublicKey // that the host showed
	trusted  bool          // it is the right one
	distrust error         // it is not
	busy     bool          // sshd hung up before it spoke, so another try may succeed
	tried    int           // how many of the offers the host was asked about
	key      string        // the one that it accepted
	took     time.Duration // from the first packet until logged in

	timer *time.Timer // ends the handshake after limit
	limit time.Duration
}

func (h *handshake) do(ctx context.Context) (*connection, error) {
	release, err := h.place(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	begun := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.limit = h.ConnectTimeout
	h.timer = time.AfterFunc(h.limit, func() { cancel(context.DeadlineExceeded) })
	defer h.timer.Stop()
	socket, err := h.socket(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		h.busy = errors.Is(err, syscall.ECONNRESET)
		return nil, err
	}
	raw := &trackedConn{Conn: socket}
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	conn, channels, requests, err := ssh.NewClientConn(raw, h.address(), h.config())
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		socket.Close()
		return nil, h.refine(raw, err)
	}
	h.took = time.Since(begun)
	h.Log.Debug("logged in", "host", h.name, "user", h.user, "address", h.address(),
		"key", h.key, "took", h.took.Round(time.Millisecond))
	return newConnection(ssh.NewClient(conn, channels, requests), raw), nil
}

// place takes a place among the connections that are being set up. The place at
// the bastion comes first: a host that waits for it must not take the other place
// from a host that could start.
func (h *handshake) place(ctx context.Context) (release func(), err error) {
	if h.via == nil {
		return acquire(ctx, h.starts)
	}
	leave, err := acquire(ctx, h.via.places)
	if err != nil {
		return nil, err
	}
	start, err := acquire(ctx, h.starts)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { start(); leave() }, nil
}

func (h *handshake) socket(ctx context.Context) (net.Conn, error) {
	switch {
	case h.via != nil:
		return h.via.conn.DialContext(ctx, "tcp", h.address())
	case h.proxyCommand != "":
		command, err := h.expand(h.endpoint, h.proxyCommand)
		if err != nil {
			return nil, err
		}
		return dialCommand(command)
	}
	return (&net.Dialer{}).DialContext(ctx, h.network, h.address())
}

func (h *handshake) config() *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User:              h.user,
		HostKeyAlgorithms: h.check.algorithms,
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			h.hostKey, h.distrust = key, h.check.verify(name, remote, key)
			h.trusted = h.distrust == nil
			return h.distrust
		},
		BannerCallback: func(text string) error {
			h.banner(text)
			return nil
		},
		Auth: []ssh.AuthMethod{h.offers.signers(h)},
	}
}

// banner shows a banner with a link, and gives a person the time to log in there:
// some hosts ask for that in the browser.
func (h *handshake) banner(text string) {
	text = strings.TrimSpace(printable.Text(text))
	h.Log.Debug("banner", "host", h.name, "text", text)
	if strings.Contains(text, "https://") && h.timer.Stop() {
		h.limit = h.ConnectTimeout + time.Minute
		h.timer.Reset(h.limit)
		h.Log.Warn(text, "host", h.name)
	}
}

// pause stops the clock while a key signs, which may need a person's touch.
func (h *handshake) pause() (resume func()) {
	if !h.timer.Stop() {
		return func() {}
	}
	return func() { h.timer.Reset(h.limit) }
}

// refine returns why a handshake failed, from what sshd or a ProxyCommand said in
// place of speaking SSH.
func (h *handshake) refine(raw *trackedConn, err error) error {
	greeting := raw.greeting()
	spoke := strings.Contains(greeting, "SSH-")
	if p, ok := raw.Conn.(*commandConn); ok && !spoke && !errors.Is(err, context.DeadlineExceeded) {
		if text := p.complaint(); text != "" {
			return &proxyCommandError{text}
		}
	}
	switch {
	case strings.Contains(greeting, "Not allowed at this time"):
		return errPenalty
	case spoke, errors.Is(err, context.DeadlineExceeded):
		return err
	}
	h.busy = true
	return errBusy
}

var (
	errPenalty = errors.New("sshd refuses this address for a while, after failed logins (PerSourcePenalties)")
	errBusy    = errors.New("sshd closed the connection before it spoke (MaxStartups, or a penalty after failed logins)")
)

func (h *handshake) explain(err error) error {
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case h.distrust != nil:
		return h.distrust
	case errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &negotiation) && negotiation.What == "host key":
		return h.noCommonKey(err)
	case h.trusted && !errors.Is(err, io.EOF):
		return h.offers.refused(h.endpoint, errors.New(strings.TrimPrefix(err.Error(), "ssh: handshake failed: ")))
	}
	out := unreachable("connect "+h.address(), err, h.ConnectTimeout)
	var (
		open    *ssh.OpenChannelError
		command *proxyCommandError
	)
	switch {
	case errors.As(err, &open):
		out.Reason = HopCannotReach
		if strings.Contains(open.Message, "open failed") { // what sshd says where AllowTcpForwarding is off
			out.Reason = HopForbids
		}
		out.Err = fmt.Errorf("%s cannot reach it: %s", h.jump, printable.Line(open.Message))
	case errors.As(err, &command):
		out.Reason = command.reason()
	case errors.Is(err, errBusy):
		out.Reason = Busy
	case errors.Is(err, errPenalty):
		out.Reason, out.Advice = Penalized, "wait some minutes, and mend the login first"
	}
	return out
}

// noCommonKey reports a host that has none of the keys it is known by.
func (h *handshake) noCommonKey(err error) error {
	if h.check.db != nil && len(h.check.db.HostKeys(h.checkName())) > 0 {
		return h.check.changed("what it offers now")
	}
	return &Error{Reason: HostKeyChanged, Op: "verify host key of " + h.address(),
		Err: errors.New(strings.TrimPrefix(err.Error(), "ssh: handshake failed: "))}
}
