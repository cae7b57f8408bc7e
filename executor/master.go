package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// A masterAttempt is what came of asking an OpenSSH master for a session.
type masterAttempt struct {
	err  error         // why there is none; nil: there is one
	took time.Duration // until the host granted it
}

// share has a live OpenSSH master run line on its host, without a login of our
// own. It returns nil where there is no master that may be used. A master that
// was asked and gave no answer in time may still run line, later.
func (d *Dialer) share(ctx context.Context, a *attempt, line string) (*connection, *streams) {
	e := a.endpoint
	if e.controlPath == "" {
		return nil, nil
	}
	release, err := acquire(ctx, d.starts)
	if err != nil {
		return nil, nil
	}
	defer release()
	begun := time.Now()
	s, err := d.muxSession(ctx, e, line)
	a.master = &masterAttempt{err, time.Since(begun)}
	if err != nil {
		d.Log.Debug("the control socket is not used", "host", e.name, "socket", e.controlPath, "cause", err)
		return nil, nil
	}
	d.Log.Debug("over the control socket", "host", e.name, "socket", e.controlPath, "took", a.master.took.Round(time.Millisecond))
	c := &connection{closer: s, heard: s.heard, ended: make(chan struct{})}
	c.ask = func() error { return askMaster(e.controlPath, c.ended) }
	go func() {
		s.control.wait()
		close(c.ended)
	}()
	go c.watch(d.timing)
	return c, &streams{s.stdin, s.stdout, s.stderr}
}

// muxSession starts line over e's control socket, within ConnectTimeout.
func (d *Dialer) muxSession(ctx context.Context, e *endpoint, line string) (*muxSession, error) {
	if err := d.mayShare(ctx, e); err != nil {
		return nil, err
	}
	control, err := dialMaster(e.controlPath)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, d.ConnectTimeout)
	defer cancel()
	stop := context.AfterFunc(bounded, func() { control.Close() })
	var s *muxSession
	if err = control.hello(); err == nil {
		s, err = startMuxSession(control, line)
	}
	switch {
	case stop() && err == nil:
		return s, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case bounded.Err() != nil:
		err = fmt.Errorf("no answer within %s", d.ConnectTimeout)
	default:
		err = plain(err)
	}
	control.Close()
	if s != nil {
		s.closeStreams()
	}
	return nil, err
}

// mayShare returns an error if a master of e must not be used, whether or not
// there is one.
func (d *Dialer) mayShare(ctx context.Context, e *endpoint) error {
	if len(e.pinned) > 0 {
		return errors.New("only a connection of our own can check host_key")
	}
	if e.confirmed { // the keepalive opens a session every few seconds
		return errors.New("ControlMaster asks somebody about each session")
	}
	if e.unchecked {
		return errors.New("StrictHostKeyChecking is off, so nobody checked the host's key")
	}
	if _, err := ownSocket(e.controlPath); err != nil {
		return err
	}
	return d.toldApart(ctx, e)
}

// toldApart returns an error if e's ControlPath would be the same without what
// the fleet says of the host: the master there could then be one of another host
// or another user.
func (d *Dialer) toldApart(ctx context.Context, e *endpoint) error {
	for _, setting := range []struct {
		name, keyword, value string
		given                bool
		drop                 func(*Target)
	}{
		{"address", "hostname", e.host, e.target.Address != "", func(t *Target) { t.Address = "" }},
		{"port", "port", strconv.Itoa(e.port), e.target.Port != 0, func(t *Target) { t.Port = 0 }},
		{"user", "user", e.user, e.target.User != "", func(t *Target) { t.User = "" }},
		{"proxy_jump", "proxyjump", e.jump, e.target.ProxyJump != "", func(t *Target) { t.ProxyJump = "" }},
	} {
		if !setting.given {
			continue
		}
		target := e.target
		setting.drop(&target)
		without := d.values(ctx, d.SSHConfig, target)
		same := without["controlpath"] == e.controlPath || len(without) == 0 // ssh gave no answer
		if same && none(without[setting.keyword]) != setting.value {
			return fmt.Errorf("the %s is fleet.hcl's, and ControlPath is the same without it", setting.name)
		}
	}
	return nil
}

// ownSocket makes sure that the socket is ours alone: whoever answers there
// speaks for the host.
func ownSocket(path string) (os.FileInfo, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	switch {
	case info.Mode().Type() != os.ModeSocket:
		return nil, errors.New("not a socket")
	case int(owner) != os.Geteuid():
		return nil, fmt.Errorf("it belongs to user %d", owner)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("others may write to it (mode %04o)", info.Mode().Perm())
	}
	return info, nil
}

// dialMaster connects to the socket at path. It checks the socket before and
// after that, so that nobody can put another in its place meanwhile, unless
// others may rename files in its directory.
func dialMaster(path string) (muxConn, error) {
	before, err := ownSocket(path)
	if err != nil {
		return muxConn{}, err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return muxConn{}, plain(err)
	}
	after, err := ownSocket(path)
	if err == nil && !os.SameFile(before, after) {
		err = errors.New("another socket took its place")
	}
	if err != nil {
		conn.Close()
		return muxConn{}, err
	}
	return muxConn{conn}, nil
}

// plain reduces an error of the control socket to its cause.
func plain(err error) error {
	var number syscall.Errno
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("the master hung up")
	case errors.As(err, &number):
		return number
	}
	return err
}

// askMaster has the master open a session, and returns nil when the host has
// answered, even if it has refused.
func askMaster(path string, ended <-chan struct{}) error {
	control, err := dialMaster(path)
	if err != nil {
		return err
	}
	defer control.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-ended:
			control.Close()
		case <-done:
		}
	}()
	if err := control.hello(); err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	var refused *muxRefusal
	if err := control.session("exit", null, null, null); !errors.As(err, &refused) {
		return err
	}
	return nil
}
