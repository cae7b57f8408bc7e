package view

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/printable"
)

// History: the hosts told what happened within the last while.
type History struct {
	Hosts   int
	Since   time.Duration
	Events  []PastEvent // the newest last
	Unheard []Unheard
	Took    time.Duration
}

// A PastEvent happened on a host.
type PastEvent struct {
	Host string
	agent.Event
	Audit string // an entry of the journal, if it is neither command nor decision
}

// linesOfEvent is how many lines of a terminal an event gets at most.
const linesOfEvent = 4

func (e History) text(t *Text) {
	p := t.Out
	var out strings.Builder
	width := 0
	for _, event := range e.Events {
		width = max(width, len(event.Host))
	}
	for _, event := range e.Events {
		line := fmt.Sprintf("%s  %-*s  %s", event.At.Local().Format(time.DateTime), width, event.Host, event)
		line = printable.Text(oneLineOf(line))
		if p.Width > 0 {
			line = ansi.Truncate(p.Mask(line), max(100, linesOfEvent*p.Width), "…")
		}
		out.WriteString(p.flow(line+"\n", 4))
	}
	for _, u := range e.Unheard {
		p.failure(&out, u.Host, u.Err)
	}
	out.WriteString("\n" + p.total(e.total(), e.Took))
	io.WriteString(p, out.String())
}

// oneLineOf joins the lines of a text, but keeps its columns.
func oneLineOf(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }

// String is what happened, in one line unless a program printed more.
func (e PastEvent) String() string {
	switch {
	case e.Audit != "":
		return e.Audit
	case e.Decision != nil:
		return e.Decision.String()
	}
	c := e.Command
	if c == nil {
		return ""
	}
	text := fmt.Sprintf("%s %s", c.Action, c.Status)
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	if said := cmp.Or(c.Error, c.Result); said != "" {
		text += ": " + said
	}
	return text
}

func (e History) total() string {
	var commands, failed, audits int
	for _, event := range e.Events {
		if event.Audit != "" {
			audits++
		}
		if c := event.Command; c != nil {
			commands++
			if c.Status == "failed" {
				failed++
			}
		}
	}
	total := fmt.Sprintf("History: %s, %s", Plural(e.Hosts, "host"), Plural(commands, "command"))
	if failed > 0 {
		total += fmt.Sprintf(" (%d failed)", failed)
	}
	total += ", " + Plural(len(e.Events)-commands-audits, "decision")
	if audits > 0 {
		total += ", " + Plural(audits, "line") + " of the journals"
	}
	total += " within " + e.span() + "."
	if len(e.Unheard) > 0 {
		total += fmt.Sprintf(" %s not read.", wasWere(len(e.Unheard), "host"))
	}
	return total
}

// span is how far back the history goes.
func (e History) span() string {
	const day = 24 * time.Hour
	switch {
	case e.Since > day && e.Since%day == 0:
		return Plural(int(e.Since/day), "day")
	case e.Since%time.Hour == 0:
		return Plural(int(e.Since/time.Hour), "hour")
	}
	return ageText(e.Since)
}

type auditEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

type historyEvent struct {
	Event agent.Event `json:"event"`
}

type historySummary struct {
	Hosts  int   `json:"hosts"`
	Events int   `json:"events"`
	Took   int64 `json:"took_ms"`
}

func (e History) lines() []line {
	var lines []line
	for _, event := range e.Events {
		if event.Audit != "" {
			lines = append(lines, auditEntryLine.line(event.Host, event.Host+": "+event.Audit, auditEntry{event.At.UTC(), event.Audit}))
			continue
		}
		lines = append(lines, historyEventLine.line(event.Host, event.Host+": "+event.String(), historyEvent{event.Event}))
	}
	for _, u := range e.Unheard {
		lines = append(lines, u.lines()...)
	}
	return append(lines, historySummaryLine.line("", e.total(), historySummary{e.Hosts, len(e.Events), e.Took.Milliseconds()}))
}
