package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/cmd/xmrfleet/lines"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/printable"
)

type execCmd struct {
	hostFlags
	Sudo    bool     `help:"As root, in place of the user who logs in."`
	Stream  bool     `help:"Print lines as they come, each with its host."`
	Command []string `arg:"" help:"The command, after --."`
}

func (c *execCmd) Help() string {
	return `One argument is a line for /bin/sh on the host; several are a program and its arguments, which no shell there looks at. It runs in the home directory, in the language C, and with nothing to read. What it prints is shown host by host when all have ended, once for hosts where it is the same; of one selected host it is passed through as it comes. Ctrl-C, --timeout and a lost connection end the command on the host, with all its children: SIGTERM, two seconds later SIGKILL. The exit code is 0 only if that of every host is.`
}

func (c *execCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, err := p.choose(c.fleetFlags, c.chooseToChange)
	if err != nil {
		return err
	}
	e := execution{execCmd: c, mask: p.out.Mask, entry: who(p.holder()) + ": exec " + p.out.Mask(strings.Join(c.Command, " ")), show: c.shower(p, hosts)}
	ctx, cancel := p.output.whileRead(ctx)
	defer cancel()
	var outcomes []executor.Outcome[view.HostExec]
	if e.show == nil {
		outcomes = onEachWithHeartbeat(ctx, p, c.connectionFlags, hosts, task{phase: view.Commanding}, e.run)
	} else {
		outcomes = onEach(ctx, p, c.connectionFlags, hosts, c.Parallelism, e.run)
	}
	results := make([]view.HostExec, len(hosts))
	var failed, done []string
	for i, o := range outcomes {
		r := o.Value
		r.Host, r.Err = hosts[i].Name, o.Err
		results[i] = r
		p.hosts.executed(r)
		if r.Err != nil || r.Status != 0 {
			failed = append(failed, r.Host)
		} else {
			done = append(done, r.Host)
		}
	}
	p.remember(c.File, failed, done)
	p.report.Report(view.Exec{Hosts: results, Shown: e.show != nil, Retry: p.retry(failed), Took: time.Since(began)})
	return exitCode(p.hosts.code())
}

// shower returns what shows a line of a host at once, or nil if everything is
// shown in the end.
func (c *execCmd) shower(p *Program, hosts []hcl.Host) func(host string, stderr bool, text []byte) {
	switch {
	case c.Stream:
		names := view.NamesOf(namesOf(hosts))
		var mu sync.Mutex
		return func(host string, stderr bool, text []byte) {
			mu.Lock()
			defer mu.Unlock()
			p.report.Report(view.Output{Name: names[host], Stderr: stderr, Text: strings.TrimSuffix(string(text), "\n")})
		}
	case len(hosts) == 1 && !p.silent:
		return func(_ string, stderr bool, text []byte) {
			to := p.out
			if stderr {
				to = p.err
			}
			if to.Width > 0 {
				text = []byte(printable.Text(ansi.Strip(string(text))))
			}
			to.Write(text)
		}
	}
	return nil
}

// An execution is an exec on all its hosts.
type execution struct {
	*execCmd
	entry string                                      // of the journal, for what root does
	mask  func(string) string                         // hides secrets
	show  func(host string, stderr bool, text []byte) // nil: nothing is shown at once
}

func (e *execution) run(ctx context.Context, d *executor.Dialer, h hcl.Host) (r view.HostExec, err error) {
	began := time.Now()
	defer func() { r.Took = time.Since(began) }()
	shell, _, err := d.Open(ctx, target(h), executor.OpenOptions{Login: !e.Sudo})
	if err != nil {
		return r, err
	}
	defer shell.Close()
	command := modules.Exec(e.Command...)
	if e.Sudo {
		command = modules.Audited(e.entry, "done", command)
	}
	r.Begun = true
	stdout, stderr := e.capture(h, false), e.capture(h, true)
	r.Status, err = shell.Stream(ctx, stdout, stderr, command.Script, command.Args...)
	r.Stdout, r.Stderr = stdout.end(), stderr.end()
	return r, err
}

func (e *execution) capture(h hcl.Host, stderr bool) *capture {
	c := &capture{mask: e.mask}
	if e.show != nil {
		c.lines = &lines.Writer{Mask: e.mask, Line: func(text []byte) { e.show(h.Name, stderr, text) }}
	}
	return c
}

// mostCaptured is how much is kept of what a command prints to one stream.
const mostCaptured = 1 << 20

// A capture keeps the beginning of a stream, and shows it as it comes.
type capture struct {
	lines *lines.Writer       // nil: do not show it
	mask  func(string) string // hides secrets
	text  []byte
	size  int // of the stream
}

var _ io.Writer = (*capture)(nil)

func (c *capture) Write(b []byte) (int, error) {
	if c.lines != nil {
		c.lines.Write(b)
	}
	c.size += len(b)
	c.text = append(c.text, b[:min(len(b), mostCaptured+lines.LongestSecret-len(c.text))]...)
	return len(b), nil
}

// end is what was kept. Half a secret would not be found any more, so they are
// masked before the text is cut.
func (c *capture) end() string {
	if c.lines != nil {
		c.lines.Flush()
	}
	if c.size <= mostCaptured {
		return string(c.text)
	}
	text := c.mask(string(c.text))
	kept := min(mostCaptured, len(text))
	if c.size > len(c.text) {
		kept = min(mostCaptured, max(0, len(text)-lines.LongestSecret))
	}
	return fmt.Sprintf("%s\n(truncated: %d bytes more)\n", text[:kept], c.size-mostCaptured)
}
