package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// A watchedHost is asked again and again over one connection, for as long as
// that holds.
type watchedHost struct {
	host   hcl.Host
	status view.HostStatus // the last answer
	asked  time.Time       // zero: no answer is waited for
	again  time.Time       // not to be asked before
	pause  time.Duration   // after the next failure

	dialer *executor.Dialer // of the connection, or to make one
	shell  *executor.Shell  // nil: there is none; while an answer is waited for, it belongs to who asks
}

// overdue is how long the last answer of a host holds while a new one is waited
// for.
const overdue = 5 * time.Second

var errNoAnswer = errors.New("no answer yet")

func newWatchedHost(h hcl.Host) *watchedHost {
	return &watchedHost{host: h, status: statusOf(h, modules.Status{}, errNoAnswer)}
}

// ask asks for the miner's status.
func (w *watchedHost) ask(ctx context.Context) (modules.Status, error) {
	answers, err := w.answers(ctx, modules.StatusProbe())
	if err != nil {
		return modules.Status{}, err
	}
	return modules.ParseStatus(answers[0].Stdout)
}

// prove asks for what the miner shows of its work.
func (w *watchedHost) prove(ctx context.Context) (modules.Proof, error) {
	answers, err := w.answers(ctx, modules.ProofProbes()...)
	if err != nil {
		return modules.Proof{}, err
	}
	return modules.ParseProof(answers)
}

// answers cost a round trip where there is a connection. One is made where there
// is none or where it turns out to be lost. After an error there is no
// connection.
func (w *watchedHost) answers(ctx context.Context, questions ...modules.Command) ([]modules.Result, error) {
	if w.shell != nil {
		answers, err := w.shell.Run(ctx, nil, questions...)
		if err == nil {
			return answers, nil
		}
		w.close()
		if hint.KindOf(err) != executor.Lost {
			return nil, err
		}
	}
	shell, answers, err := w.dialer.Open(ctx, target(w.host), executor.OpenOptions{First: questions})
	if err != nil {
		return nil, err
	}
	w.shell = shell
	return answers, nil
}

// take records the answer to a question, or why there is none.
func (w *watchedHost) take(s modules.Status, err error) {
	w.status = statusOf(w.host, s, err)
	w.asked = time.Time{}
	if w.shell != nil {
		w.pause, w.again = 0, time.Time{}
		return
	}
	w.dialer = nil
	w.again = time.Now().Add(w.pause)
	w.pause = min(max(executor.ShortestPause, 2*w.pause), executor.LongestPause)
}

// now is the last answer or, if the next one is overdue, that there is none.
func (w *watchedHost) now(every time.Duration) view.HostStatus {
	waited := time.Since(w.asked)
	if w.asked.IsZero() || waited < max(overdue, every) {
		return w.status
	}
	return statusOf(w.host, modules.Status{}, fmt.Errorf("no answer for %s", view.Duration(waited)))
}

func (w *watchedHost) close() {
	if w.shell != nil {
		w.shell.Close()
		w.shell = nil
	}
}
