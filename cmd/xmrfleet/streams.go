package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"

	"xmrfleet/cmd/xmrfleet/view"
)

// streams are the printers of a run, and what is behind them.
type streams struct {
	out, err *view.Printer
	output   *output // what out writes to
	silent   bool    // only programs read the output: nobody is to be asked
}

func (p *Program) openStreams() {
	p.output = newOutput(p.Stdout)
	p.out = view.NewPrinter(p.output, p.colour(p.Stdout), width(p.Stdout))
	p.err = view.NewPrinter(p.Stderr, p.colour(p.Stderr), width(p.Stderr))
}

// colour follows no-color.org: any value of NO_COLOR but the empty one.
func (p *Program) colour(f *os.File) bool {
	no, _ := p.Env("NO_COLOR")
	kind, _ := p.Env("TERM")
	return no == "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal, 0 for anything else.
func width(f *os.File) int {
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// asks reports whether there is somebody who can be asked.
func (p *Program) asks() bool { return !p.silent && term.IsTerminal(int(p.Stdin.Fd())) }

// ask puts a question on standard error and reports whether the answer is
// yes. A signal is a no.
func (p *Program) ask(question string) bool {
	fmt.Fprint(p.err, question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(p.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case a := <-answer:
		return a == "y" || a == "yes"
	case <-p.stop:
		fmt.Fprintln(p.err)
		return false
	}
}

// An output is standard output. It keeps the first error of writing, but not
// EPIPE: that nobody reads on is no failure.
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
func (o *output) closed() bool { return isClosed(o.unread) }

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
			cancel(stopCause("nobody reads its output"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
