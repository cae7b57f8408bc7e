package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/printable"
)

// Unknown is the Status of a command whose outcome was lost together with the
// connection: the host finishes a frame that it has begun.
const Unknown = -2

// A Shell is a shell on a host, of root or of who logged in. It is safe for
// concurrent use; frames run one after the other.
type Shell struct {
	dialer *Dialer
	name   string
	user   string // who logged in
	conn   *connection
	stdin  io.WriteCloser
	out    chan segment
	err    chan segment
	live   [2]tap  // open while a command streams: they take what would go to out and err
	lock   *Holder // nil: the lock is not wanted
	login  bool

	turn    chan struct{} // full while a frame is exchanged
	inline  bool          // the first frame went inside the exec request
	held    bool          // the lock is taken
	closing chan struct{}
	once    sync.Once
}

// OpenOptions says what is to happen in the first frame, which costs no round
// trip of its own.
type OpenOptions struct {
	// Lock makes the shell hold the host's lock until it is closed. The names
	// are shown to whoever wants it meanwhile.
	Lock *Holder

	// Login makes the shell that of the user who logs in, without sudo. Such a
	// shell cannot hold the lock.
	Login bool

	// First runs at once. Other users of the host can see these commands,
	// apart from what they read on standard input. Where an OpenSSH master
	// does not answer in time, they may run a second time, and long after, which
	// must do no harm.
	First []modules.Command
}

// Open connects to a host, starts a shell and runs the first commands, whose
// results it returns as [Shell.Run] does. The caller closes the shell. Errors
// are of type [*Error]; there is no shell then.
func (d *Dialer) Open(ctx context.Context, t Target, o OpenOptions) (*Shell, []modules.Result, error) {
	d.init()
	if err := sendable(o.First); err != nil {
		return nil, nil, err
	}
	e, err := d.resolve(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	return d.open(ctx, &attempt{endpoint: e}, o)
}

func (d *Dialer) open(ctx context.Context, a *attempt, o OpenOptions) (*Shell, []modules.Result, error) {
	s := &Shell{dialer: d, name: a.endpoint.name, user: a.endpoint.user, lock: o.Lock, login: o.Login,
		out: make(chan segment, 16), err: make(chan segment, 16),
		turn: make(chan struct{}, 1), closing: make(chan struct{})}
	n := newNonce()
	first := s.opening(ctx, n, o.First)
	conn, streams, err := d.launch(ctx, a, s.execLine(n, first))
	if err != nil {
		return nil, nil, err
	}
	s.conn, s.stdin = conn, streams.stdin
	go split(streams.stdout, n.String(), &s.live[0], s.out)
	go split(streams.stderr, n.String(), &s.live[1], s.err)
	stop := context.AfterFunc(ctx, func() { conn.fail(context.Cause(ctx)) })
	results, err := s.start(ctx, first, o.First)
	stop()
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	if s.held {
		go s.beat()
	}
	return s, results, nil
}

// streams are those of a program on the host.
type streams struct {
	stdin          io.WriteCloser
	stdout, stderr io.Reader
}

// launch connects to the endpoint and has its sshd run line: over the control
// socket of a master that is there, or over a connection of our own.
func (d *Dialer) launch(ctx context.Context, a *attempt, line string) (*connection, *streams, error) {
	if conn, streams := d.share(ctx, a, line); conn != nil {
		return conn, streams, nil
	}
	conn, err := d.connect(ctx, a, nil)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.fail(context.Cause(ctx)) })
	defer stop()
	streams, failed := conn.exec(line)
	if failed != nil {
		return nil, nil, conn.explain(ctx, failed)
	}
	return conn, streams, nil
}

// exec has the host run line in a session of its own.
func (c *connection) exec(line string) (*streams, *Error) {
	bad := func(op string, err error) (*streams, *Error) {
		return nil, &Error{Reason: NoShell, Op: op, Err: err}
	}
	session, err := c.NewSession()
	if err != nil {
		return bad("open session", err)
	}
	var s streams
	if s.stdin, err = session.StdinPipe(); err != nil {
		return bad("open session", err)
	}
	if s.stdout, err = session.StdoutPipe(); err != nil {
		return bad("open session", err)
	}
	if s.stderr, err = session.StderrPipe(); err != nil {
		return bad("open session", err)
	}
	if err := session.Start(line); err != nil {
		return bad("start shell", err)
	}
	return &s, nil
}

// opening is the frame that a shell begins with.
func (s *Shell) opening(ctx context.Context, n nonce, cmds []modules.Command) *frame {
	prelude := fmt.Sprintf("N=%s\nPATH=%s\n%s", n, s.dialer.path, preludeScript)
	if s.lock != nil {
		prelude += lockScript
	}
	return s.frame(ctx, prelude, s.lock != nil, cmds)
}

// execLine is the line that starts the shell, with the first frame in it where
// that fits.
func (s *Shell) execLine(n nonce, first *frame) string {
	as := "root"
	if s.login {
		as = "login"
	}
	line := execLine(n, s.dialer.path, as, []byte(strconv.Itoa(first.script.Len())+"\n"+first.script.String()))
	s.inline = len(first.payloads) == 0 && len(line) <= maxExec
	if !s.inline {
		line = execLine(n, s.dialer.path, as, nil)
	}
	return line
}

// start returns the results of the first frame. It takes the lock over from a
// holder that is gone.
func (s *Shell) start(ctx context.Context, first *frame, cmds []modules.Command) ([]modules.Result, error) {
	results, err := s.first(ctx, first, len(cmds))
	var refused *lockRefusal
	for errors.As(err, &refused) {
		if err := s.locked(ctx, refused); err != nil {
			return nil, err
		}
		results, err = s.exchange(ctx, s.frame(ctx, "", true, cmds), len(cmds), nil)
	}
	return results, err
}

// frame writes a frame for cmds.
func (s *Shell) frame(ctx context.Context, prelude string, lock bool, cmds []modules.Command) *frame {
	f := &frame{}
	f.script.WriteString(prelude)
	f.script.WriteString("r=0\n")
	if lock {
		s.lockCall(f)
	}
	s.busy(ctx, f)
	f.add(cmds)
	f.end()
	return f
}

// busy adds to a frame the line that records until when it may take, for whoever
// wants the lock.
func (s *Shell) busy(ctx context.Context, f *frame) {
	limit := s.dialer.timing.frame
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	fmt.Fprintf(&f.script, "note busy %d\n", int64(limit/time.Second)+1)
}

// first waits until the shell runs, and returns the results of the first frame.
func (s *Shell) first(ctx context.Context, f *frame, cmds int) ([]modules.Result, error) {
	if !s.inline {
		go s.send(ctx, f)
	}
	slow := time.AfterFunc(s.dialer.timing.start, func() {
		s.conn.fail(fmt.Errorf("no answer from the login shell within %s", s.dialer.timing.start))
	})
	out, stderr, err := s.next()
	slow.Stop()
	if text := strings.TrimSpace(printable.Text(out.text + stderr.text)); text != "" {
		s.dialer.Log.Debug("printed before the shell", "host", s.name, "text", text)
	}
	switch {
	case err != nil:
		refused := &Error{Reason: NoShell, Op: "start shell", Err: err}
		if text := printable.Line(out.text + stderr.text); text != "" && s.conn.failure() == nil {
			refused.Err = errors.New(text)
			if strings.Contains(text, "not available") { // nologin's words
				refused.Reason = LoginDisabled
			}
		}
		return nil, s.conn.explain(ctx, refused)
	case out.mark != "up":
		return nil, sudoRefused(s.user, stderr.text, out.mark)
	}
	return s.collect(ctx, cmds, nil)
}

// Run runs cmds in one frame: in order, up to the first that fails; those
// after it have the status [modules.NotRun]. A command that fails is no error.
// onResult, if not nil, is called as results arrive.
//
// An error is of type [*Error] and ends the shell; results that are not known
// then have the status [Unknown], for the host finishes the frame. So it does
// when ctx ends: whoever wants to stop between two frames does not begin the
// next one. A command sees a part of its input if the connection breaks while
// it is sent, and has to verify what it read.
func (s *Shell) Run(ctx context.Context, onResult func(int, modules.Result), cmds ...modules.Command) ([]modules.Result, error) {
	if err := sendable(cmds); err != nil {
		return results(len(cmds), modules.NotRun), err
	}
	release, err := acquire(ctx, s.turn)
	if err != nil {
		return results(len(cmds), modules.NotRun), givenUp("run command", err)
	}
	defer release()
	return s.exchange(ctx, s.frame(ctx, "", false, cmds), len(cmds), onResult)
}

func results(n, status int) []modules.Result {
	list := make([]modules.Result, n)
	for i := range list {
		list[i].Status = status
	}
	return list
}

// exchange sends a frame and collects its results.
func (s *Shell) exchange(ctx context.Context, f *frame, cmds int, onResult func(int, modules.Result)) ([]modules.Result, error) {
	go s.send(ctx, f)
	return s.collect(ctx, cmds, onResult)
}

// largePayload is the size from which on a transfer takes one of the Uploads
// places.
const largePayload = 256 << 10

// send does not report errors: the streams end with the connection.
func (s *Shell) send(ctx context.Context, f *frame) {
	if f.size >= largePayload {
		release, err := acquire(ctx, s.dialer.uploads)
		if err != nil {
			return // collect sees ctx as well
		}
		defer release()
	}
	io.Copy(s.stdin, f.reader())
}

// collect reads the marks of one frame.
func (s *Shell) collect(ctx context.Context, cmds int, onResult func(int, modules.Result)) ([]modules.Result, error) {
	stop := context.AfterFunc(ctx, func() { s.conn.fail(context.Cause(ctx)) })
	defer stop()
	list := results(cmds, Unknown)
	var refused error
	for done := 0; ; {
		out, stderr, err := s.next()
		if err != nil {
			return list, s.conn.explain(ctx, &Error{Reason: Lost, Op: "run command", Err: err})
		}
		word, value, _ := strings.Cut(out.mark, " ")
		switch word {
		case "done":
			status, err := strconv.Atoi(value)
			if err != nil || done == cmds {
				return list, s.desynchronized(out.mark)
			}
			list[done] = modules.Result{Status: status, Stdout: out.text, Stderr: stderr.text}
			if onResult != nil {
				onResult(done, list[done])
			}
			done++
		case "lock":
			s.held = out.mark == lockTaken
			if !s.held {
				refused = &lockRefusal{out.mark, out.text, stderr.text}
			}
		case "idle":
			copy(list[done:], results(cmds-done, modules.NotRun))
			return list, refused
		case "end":
			cause := fmt.Errorf("the shell on the host ended with status %s", value)
			if value == "0" { // its input is open: takeover.sh ended it
				cause = fmt.Errorf("another run took the host over: this one gave no sign of life for %s", s.dialer.timing.stale)
			}
			s.conn.fail(cause)
			return list, s.conn.explain(ctx, &Error{Reason: Lost, Op: "run command", Err: errors.New("the shell ended")})
		default:
			return list, s.desynchronized(out.mark)
		}
	}
}

// next returns what both streams carried up to the next mark, which is the
// same in both.
func (s *Shell) next() (out, stderr segment, err error) {
	out, ok1 := <-s.out
	stderr, ok2 := <-s.err
	if !ok1 || !ok2 || out.mark == "" || stderr.mark == "" {
		err = errors.New("the host closed the connection")
	}
	return out, stderr, err
}

func (s *Shell) desynchronized(mark string) error {
	err := &Error{Reason: Lost, Op: "run command", Err: fmt.Errorf("unexpected mark %q", mark)}
	s.conn.fail(err)
	return err
}

// Close ends the shell; where it holds the lock, it first waits until the
// host has given that back. It may be called more than once.
func (s *Shell) Close() error {
	s.once.Do(func() {
		close(s.closing)
		if s.held {
			s.giveBack()
		}
		s.conn.fail(errors.New("closed"))
		go drain(s.out)
		go drain(s.err)
	})
	return nil
}

func (s *Shell) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), s.dialer.timing.close)
	defer cancel()
	if _, err := acquire(ctx, s.turn); err != nil {
		return
	}
	s.stdin.Close()
	for {
		select {
		case seg, ok := <-s.out:
			if !ok || strings.HasPrefix(seg.mark, "end") {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// drain takes what is left, because split ends only when all was taken.
func drain(segments <-chan segment) {
	for range segments {
	}
}
