package view

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Controlled: miners were started, stopped or restarted.
type Controlled struct {
	Action  string // "start", "stop" or "restart"
	Pending bool   // nobody waited until the agents had done it
	Hosts   []Commanded
	Drift   bool   // fleet.hcl wants something else of a host that obeyed
	Retry   string // the command that does the same for the hosts that failed
	Took    time.Duration
}

// Commanded is a host that was told to do something.
type Commanded struct {
	Host string
	Err  error // why it did not, or nil
	Took time.Duration
}

func (e Controlled) text(t *Text) {
	p := t.Out
	var out strings.Builder
	width := 0
	for _, h := range e.Hosts {
		width = max(width, len(h.Host))
	}
	for _, h := range e.Hosts {
		if h.Err == nil {
			fmt.Fprintf(&out, "  %s %-*s  %s  %s\n", p.green("✓"), width, h.Host, e.done(), p.faint(Duration(h.Took)))
		}
	}
	for _, h := range e.Hosts {
		if h.Err != nil {
			p.failure(&out, h.Host, h.Err)
		}
	}
	out.WriteString("\n" + p.total(e.total(), e.Took))
	if e.Drift {
		out.WriteString("fleet.hcl says otherwise: the next plan shows it, and the next apply undoes it.\n")
	}
	if e.Retry != "" {
		fmt.Fprintf(&out, "retry: %s\n", e.Retry)
	}
	io.WriteString(p, out.String())
}

// done says what a host did.
func (e Controlled) done() string {
	if e.Pending {
		return e.Action + " is pending"
	}
	return map[string]string{"start": "started", "stop": "stopped", "restart": "restarted"}[e.Action]
}

func (e Controlled) total() string {
	obeyed := 0
	for _, h := range e.Hosts {
		if h.Err == nil {
			obeyed++
		}
	}
	return fmt.Sprintf("%s: %d of %s.", strings.ToUpper(e.Action[:1])+e.Action[1:], obeyed, Plural(len(e.Hosts), "host"))
}

func (e Controlled) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		body := struct {
			Action string `json:"action"`
			Done   bool   `json:"done"` // false: pending, or failed
			Took   int64  `json:"took_ms"`
			trouble
		}{Action: e.Action, Done: h.Err == nil && !e.Pending, Took: h.Took.Milliseconds()}
		l := line{kind: "command_complete", host: h.Host, message: h.Host + ": " + e.done()}
		if h.Err != nil {
			body.trouble = troubleOf(h.Err)
			l.kind, l.level, l.message = "command_errored", levelError, h.Host+": "+body.Error
		}
		l.body = body
		lines = append(lines, l)
	}
	return append(lines, line{kind: "command_summary", message: e.total(), body: struct {
		Action string `json:"action"`
		Hosts  int    `json:"hosts"`
		Retry  string `json:"retry,omitempty"`
		Took   int64  `json:"took_ms"`
	}{e.Action, len(e.Hosts), e.Retry, e.Took.Milliseconds()}})
}
