package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"golang.org/x/term"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/plan"
)

type applyCmd struct {
	convergence
	Yes bool `help:"Do not ask." short:"y" aliases:"auto-approve"`
}

func (c *applyCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	if !c.Yes && !term.IsTerminal(int(p.Stdin.Fd())) {
		return hinted{errors.New("apply: there is no terminal to ask for approval"), "pass --yes"}
	}
	sessions, err := c.prepare(ctx, p)
	if err != nil {
		return err
	}
	d := c.dialer(p.err)
	defer d.Close()
	defer func() {
		for _, s := range sessions {
			s.close()
		}
	}()
	run := newRun(p.args)
	reading, cancel := p.unlessStopped(ctx)
	defer cancel()
	c.gather(reading, d, sessions, &run)
	p.out.Plan(views(sessions), c.Verbose, time.Since(began))

	var todo []*session
	var t tally
	for _, s := range sessions {
		if s.err == nil && !s.plan.Empty() {
			todo = append(todo, s)
		} else {
			t.planned(s)
		}
	}
	if len(todo) == 0 || p.stopped() {
		return exitCode(t.code())
	}
	if !c.Yes {
		if approved := p.ask(fmt.Sprintf("\nApply to %s? [y/N] ", view.Plural(len(todo), "host"))); !approved {
			fmt.Fprintln(p.err, "Nothing was changed.")
			return exitCode(exitDeclined)
		}
	}
	fmt.Fprintln(p.out)
	c.apply(ctx, p, todo, run)

	for _, s := range todo {
		t.applied(s.result.Outcome)
	}
	results := make([]view.HostResult, len(sessions))
	for i, s := range sessions {
		results[i] = s.result
		results[i].Host = s.host.Name
		if s.err != nil {
			results[i].Failed, results[i].Hint = s.err, hint(s.err)
		}
	}
	p.out.Apply(results, p.retry(sessions), time.Since(began))
	return exitCode(t.code())
}

// apply changes the hosts, all at once, and tells how it goes.
func (c *applyCmd) apply(ctx context.Context, p *Program, todo []*session, run executor.Holder) {
	progress := view.Progress{Printer: p.err, Details: c.Verbose, Now: time.Now}
	for _, s := range todo {
		progress.NameWidth = max(progress.NameWidth, len(s.host.Name))
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-p.stop:
			progress.Stopping()
		case <-finished:
		}
	}()
	audit := fmt.Sprintf("run %s by %s from %s", run.Run, run.User, run.Machine)
	executor.Each(ctx, todo, c.Parallelism, func(ctx context.Context, s *session) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		began := time.Now()
		if !p.stopped() {
			progress.Begin(s.host.Name, len(s.plan.Changes))
		}
		outcome := s.plan.Apply(ctx, p.stop, s.shell, audit, func(change plan.Change, took time.Duration) {
			progress.Made(s.host.Name, change, took)
		})
		s.close()
		s.result = view.HostResult{Host: s.host.Name, Outcome: outcome, Hint: hint(outcome.Err), Took: time.Since(began)}
		progress.End(s.result)
		return struct{}{}, nil
	})
}

// newRun describes this run to whoever finds a host locked by it, and to the
// hosts' journals.
func newRun(args []string) executor.Holder {
	id := make([]byte, 4)
	rand.Read(id)
	h := executor.Holder{Run: hex.EncodeToString(id), User: "unknown", PID: os.Getpid(), Command: "xmrfleet " + verb(args)}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	h.Machine, _ = os.Hostname()
	return h
}

// verb is the command without its flags, which may hold secrets.
func verb(args []string) string {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return ""
}

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
