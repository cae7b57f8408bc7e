package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/modules"
)

// Control: miners were started, stopped or restarted.
type Control struct {
	Action  modules.Action // Start, Stop or Restart
	Pending bool           // nobody waited until the agents had done it
	Hosts   []HostControl
	Drift   bool   // fleet.hcl wants something else of a host that obeyed
	Retry   string // the command that does the same for the hosts that failed
	Took    time.Duration
}

// HostControl is what became of the command on a host.
type HostControl struct {
	Host string
	Err  error // why it did not, or nil
	Took time.Duration
}

func (e Control) text(t *Text) {
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
func (e Control) done() string {
	if e.Pending {
		return string(e.Action) + " is pending"
	}
	return map[modules.Action]string{modules.Start: "started", modules.Stop: "stopped", modules.Restart: "restarted"}[e.Action]
}

func (e Control) total() string {
	obeyed := 0
	for _, h := range e.Hosts {
		if h.Err == nil {
			obeyed++
		}
	}
	return fmt.Sprintf("%s: %d of %s.", Capitalized(string(e.Action)), obeyed, Plural(len(e.Hosts), "host"))
}

type commandEnd struct {
	Action modules.Action `json:"action"`
	Done   bool           `json:"done"` // false: pending, or failed
	Took   int64          `json:"took_ms"`
	trouble
}

type commandSummary struct {
	Action modules.Action `json:"action"`
	Hosts  int            `json:"hosts"`
	Retry  string         `json:"retry,omitempty"`
	Took   int64          `json:"took_ms"`
}

func (e Control) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		fields := commandEnd{e.Action, h.Err == nil && !e.Pending, h.Took.Milliseconds(), troubleOf(h.Err)}
		if h.Err != nil {
			lines = append(lines, commandErroredLine.line(h.Host, h.Host+": "+h.Err.Error(), fields).as(levelError))
		} else {
			lines = append(lines, commandCompleteLine.line(h.Host, h.Host+": "+e.done(), fields))
		}
	}
	return append(lines, commandSummaryLine.line("", e.total(), commandSummary{e.Action, len(e.Hosts), e.Retry, e.Took.Milliseconds()}))
}
