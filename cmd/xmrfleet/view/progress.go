package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
	"xmrfleet/plan"
)

// Applying: these hosts are going to be changed.
type Applying struct {
	Hosts   []string
	Details bool // people want to see each change as it is made
}

// Begun: a host is being changed.
type Begun struct {
	Host    string
	Changes int
}

// Made: one change of a host was made.
type Made struct {
	Host   string
	Change plan.Change
	Took   time.Duration
}

// Ended: a host is not being changed any more.
type Ended struct{ HostResult }

// Stopping: the run was interrupted and goes on to a safe point.
type Stopping struct{}

// Abandonable: another interruption abandons the hosts that are still running.
type Abandonable struct{}

func (e Applying) text(t *Text) {
	t.progress = Progress{Printer: t.Err, Details: e.Details, Now: time.Now}
	for _, host := range e.Hosts {
		t.progress.NameWidth = max(t.progress.NameWidth, len(host))
	}
	fmt.Fprintln(t.Out)
}

func (e Begun) text(t *Text) {
	t.silence.Store(0)
	t.progress.Begin(e.Host, e.Changes)
}

func (e Made) text(t *Text) {
	if t.progress.Details {
		t.silence.Store(0)
		t.progress.Made(e.Host, e.Change, e.Took)
	}
}

func (e Ended) text(t *Text) {
	t.silence.Store(0)
	t.progress.End(e.HostResult)
}

func (e Stopping) text(t *Text) { t.progress.say(stopping) }

func (e Abandonable) text(t *Text) { t.progress.say(abandonable) }

// Progress prints how an apply goes on, a line an event, each with the time of
// day. Names are padded to NameWidth.
type Progress struct {
	*Printer
	NameWidth int
	Details   bool // also a line for each change
	Now       func() time.Time
}

func (p Progress) line(host, text string) {
	io.WriteString(p, p.flow(fmt.Sprintf("[%s] %-*s  %s\n", p.Now().Format(time.TimeOnly), p.NameWidth, host, text), 4))
}

// Begin says that a host is being changed.
func (p Progress) Begin(host string, changes int) {
	p.line(host, "applying "+Plural(changes, "change"))
}

func (p Progress) say(text string) {
	io.WriteString(p, p.flow(text+"\n", 4))
}

const (
	stopping    = "stopping: no other host is started, and the running ones go on to a safe point"
	abandonable = "interrupt again to abandon the running hosts"
)

// Made says that one change was made.
func (p Progress) Made(host string, c plan.Change, took time.Duration) {
	p.line(host, fmt.Sprintf("  %s %s  %s", p.green("✓"), c, p.faint(Duration(took))))
}

// End says what became of a host; at length, as with the journal of a unit that
// failed, the report does.
func (p Progress) End(r HostResult) {
	if r.Err() == nil {
		p.line(r.Host, fmt.Sprintf("%s %s  %s", p.green("✓"), r.made(), p.faint(Duration(r.Took))))
		return
	}
	p.line(r.Host, fmt.Sprintf("%s %s  %s", p.red("✗"), p.faint(Duration(r.Took)), headline(printable.Text(r.Err().Error()))))
}

// headline is the first line of a text, and how much there is below it.
func headline(text string) string {
	first, rest, more := strings.Cut(strings.TrimRight(text, "\n"), "\n")
	if !more {
		return first
	}
	return fmt.Sprintf("%s (%s more in the report)", strings.TrimSuffix(first, ":"), Plural(strings.Count(rest, "\n")+1, "line"))
}

// Programs learn which hosts are to be changed from the plan.
func (e Applying) lines() []line { return nil }

type applyStart struct {
	Changes int `json:"changes"`
}

func (e Begun) lines() []line {
	return []line{applyStartLine.line(e.Host, e.Host+": applying "+Plural(e.Changes, "change"), applyStart{e.Changes})}
}

type applyProgress struct {
	step
	Took int64 `json:"took_ms"`
}

func (e Made) lines() []line {
	return []line{applyProgressLine.line(e.Host, e.Host+": made: "+e.Change.String(),
		applyProgress{step{e.Change.Resource, e.Change.Action}, e.Took.Milliseconds()})}
}

type applyEnd struct {
	Made    int   `json:"made"`
	Pending int   `json:"pending"`
	Took    int64 `json:"took_ms"`
	proofFields
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

func (e Ended) lines() []line {
	fields := applyEnd{Made: len(e.Done), Pending: len(e.Pending), Took: e.Took.Milliseconds(), proofFields: e.proof(), Hint: hint.Of(e.Err())}
	if err := e.Err(); err != nil {
		fields.Error = err.Error()
		return []line{applyErroredLine.line(e.Host, e.Host+": "+err.Error(), fields).as(levelError)}
	}
	return []line{applyCompleteLine.line(e.Host, e.Host+": "+e.made(), fields)}
}

func (e Stopping) lines() []line {
	return []line{interruptedLine.line("", stopping, noFields{}).as(levelWarn)}
}

func (e Abandonable) lines() []line {
	return []line{logLine.line("", abandonable, noFields{})}
}
