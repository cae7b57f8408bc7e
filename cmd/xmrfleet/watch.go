package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"xmrfleet/cmd/xmrfleet/screen"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules"
)

// A watch shows a fleet in rounds. In each, all hosts are asked that have
// answered the last question; a round waits a moment for them and then tells
// what is known.
type watch struct {
	*statusCmd
	p       *Program
	every   time.Duration
	screen  *screen.Screen // nil: each round follows the last one
	hosts   []*watchedHost
	answers chan answer
	asking  sync.WaitGroup
	dialers []*executor.Dialer

	began   time.Time // of the round
	pending int       // questions of this round
	told    int       // rounds
	telling bool      // this round is not told yet
	changed bool      // answers came since it was told
}

// An answer is what became of a question to a host.
type answer struct {
	from   *watchedHost
	status modules.Status
	err    error
}

const (
	roundWaits = 2 * time.Second        // for its answers
	repaint    = 300 * time.Millisecond // is what late answers wait for each other
)

// watch shows the hosts until somebody ends it or nobody reads on.
func (c *statusCmd) watch(ctx context.Context, p *Program) error {
	if p.inJob() {
		return usage(errors.New("status --watch: a job of GitHub Actions has nobody who watches"))
	}
	hosts, err := c.described(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := p.unlessStopped(ctx)
	w := &watch{statusCmd: c, p: p, every: time.Duration(c.Watch), answers: make(chan answer)}
	for _, h := range hosts {
		w.hosts = append(w.hosts, newWatchedHost(h))
	}
	defer w.end(cancel)
	if !p.silent {
		kind, _ := p.Env("TERM")
		w.screen = screen.Open(p.Stdin, p.Stdout, kind)
	}
	if w.screen != nil {
		p.output.w = w.screen
	}
	return w.run(ctx)
}

// run is the life of a watch.
func (w *watch) run(ctx context.Context) error {
	round, late, paint := time.NewTicker(w.every), time.NewTimer(0), time.NewTicker(repaint)
	defer round.Stop()
	defer paint.Stop()
	terminal := make(chan os.Signal, 1)
	if w.screen != nil {
		// Ctrl-\ does nothing here: it would leave the terminal as it is.
		signal.Notify(terminal, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGQUIT)
		defer signal.Stop(terminal)
	}
	w.ask(ctx)
	late.Reset(min(roundWaits, w.every))
	for !w.p.output.failed() {
		select {
		case a := <-w.answers:
			w.take(a)
			if w.changed = true; w.pending == 0 && w.telling {
				w.tell()
			}
		case <-late.C:
			w.tell()
		case <-round.C:
			w.tell()
			w.ask(ctx)
			late.Reset(min(roundWaits, w.every))
		case <-paint.C:
			if w.changed && !w.telling {
				w.draw()
			}
		case s := <-terminal:
			if s == syscall.SIGTSTP {
				w.suspend()
			}
			w.draw()
		case <-w.p.output.unread:
			return syscall.EPIPE
		case <-ctx.Done():
			return w.p.asDescribed(w.known())
		}
	}
	return exitCode(exitError)
}

// ask begins a round.
func (w *watch) ask(ctx context.Context) {
	w.began, w.pending, w.telling = time.Now(), 0, true
	var fresh *executor.Dialer // a dialer remembers what went wrong
	w.release()
	for _, h := range w.hosts {
		if !h.asked.IsZero() || w.began.Before(h.again) {
			continue
		}
		if h.shell == nil && fresh == nil {
			fresh = w.dialer(w.log())
			w.dialers = append(w.dialers, fresh)
		}
		if h.shell == nil {
			h.dialer = fresh
		}
		h.asked = w.began
		w.pending++
		w.asking.Go(func() {
			o := executor.Each(ctx, []*watchedHost{h}, 1, func(ctx context.Context, h *watchedHost) (modules.Status, error) {
				ctx, cancel := w.withinTimeout(ctx)
				defer cancel()
				return h.ask(ctx)
			})[0]
			select {
			case w.answers <- answer{h, o.Value, o.Err}:
			case <-ctx.Done():
			}
		})
	}
}

func (w *watch) take(a answer) {
	if a.from.asked.Equal(w.began) {
		w.pending--
	}
	a.from.take(a.status, a.err)
}

// release closes the dialers that no host needs any more.
func (w *watch) release() {
	w.dialers = slices.DeleteFunc(w.dialers, func(d *executor.Dialer) bool {
		if slices.ContainsFunc(w.hosts, func(h *watchedHost) bool { return h.dialer == d }) {
			return false
		}
		w.asking.Go(func() { d.Close() })
		return true
	})
}

// log is where the dialers' warnings go. On the screen they would be in the
// way.
func (w *watch) log() io.Writer {
	if w.screen != nil && term.IsTerminal(int(w.p.Stderr.Fd())) {
		return io.Discard
	}
	return w.p.err
}

// known are the hosts as far as it is known how they are.
func (w *watch) known() []view.HostStatus {
	hosts := make([]view.HostStatus, len(w.hosts))
	for i, h := range w.hosts {
		hosts[i] = h.now(w.every)
	}
	return hosts
}

func (w *watch) round() view.Status {
	return view.Status{Hosts: w.known(), Took: time.Since(w.began), At: time.Now(), Again: w.told > 1}
}

// tell reports the round, unless that was done.
func (w *watch) tell() {
	if !w.telling {
		return
	}
	w.telling, w.changed = false, false
	w.told++
	w.fit()
	w.p.report.Report(w.round())
}

// draw shows on the screen what is known by now.
func (w *watch) draw() {
	if w.changed = false; w.screen != nil && w.told > 0 {
		w.fit()
		w.show(w.round())
	}
}

func (w *watch) show(e view.Status) { (&view.Text{Out: w.p.out, Err: w.p.err}).Report(e) }

func (w *watch) fit() {
	if w.screen != nil {
		w.p.out.Width, w.p.out.Height = w.screen.Size()
	}
}

// suspend is what Ctrl-Z does, on a terminal that is as it was.
func (w *watch) suspend() {
	w.screen.Close()
	syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
	time.Sleep(repaint) // the signal may take a moment
	w.screen.Enter()
}

// end gives everything back, also in a panic, and leaves the last round on the
// terminal.
func (w *watch) end(cancel context.CancelFunc) {
	if w.screen != nil {
		w.screen.Close()
		w.p.output.w = w.p.Stdout
		w.p.out.Height = 0
		if w.told > 0 {
			w.show(w.round())
		}
	}
	cancel()
	w.asking.Wait()
	for _, h := range w.hosts {
		h.close()
	}
	for _, d := range w.dialers {
		d.Close()
	}
}

// An interval is a flag that may stand without its value.
type interval time.Duration

const (
	defaultInterval  = 5 * time.Second
	shortestInterval = time.Second
)

// IsBool lets the parser accept the flag alone.
func (*interval) IsBool() bool { return true }

// Decode takes the value that stands behind "=".
func (i *interval) Decode(ctx *kong.DecodeContext) error {
	d, err := decodeDuration(ctx, defaultInterval)
	if err == nil && d < shortestInterval {
		err = fmt.Errorf("%s is shorter than %s", d, shortestInterval)
	}
	*i = interval(d)
	return err
}
