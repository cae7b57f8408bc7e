package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// Logged: an entry of a host's journal.
type Logged struct {
	Name
	Time time.Time
	From string // who wrote it, where that is somebody else than expected
	Text string
}

// Lost: a host whose journal is followed is not heard of any more. It is tried
// again.
type Lost struct {
	Name
	Time time.Time
	Err  error
}

// Back: the journal of a host that was lost goes on behind its last entry.
type Back struct {
	Name
	Time time.Time
}

func (e Logged) message() string {
	text := printable.Text(ansi.Strip(e.Text))
	if e.From != "" {
		text = e.From + ": " + text
	}
	return strings.TrimRight(text, "\n")
}

func (e Logged) text(t *Text) {
	stamp := e.Time.Local().Format(time.DateTime)
	rest := strings.Repeat(" ", e.Width+len(stamp)+4)
	fmt.Fprintf(t.Out, "%s  %s  %s\n", t.Out.name(e.Name), t.Out.faint(stamp), indentRest(e.message(), rest))
}

func (e Lost) text(t *Text) {
	t.Err.aside(e.Name, e.Time, "lost: "+oneLine(e.Err.Error())+"; it is tried again")
}

func (e Back) text(t *Text) { t.Err.aside(e.Name, e.Time, "back: nothing is left out") }

// aside prints what is to be said of a host between the entries of journals.
func (p *Printer) aside(n Name, at time.Time, text string) {
	fmt.Fprintf(p, "%s  %s  %s\n", p.name(n), p.faint(at.Local().Format(time.DateTime)), p.yellow(printable.Text(text)))
}

type logEntry struct {
	Time time.Time `json:"time"`
	From string    `json:"from,omitempty"`
	Text string    `json:"text"`
}

func (e Logged) lines() []line {
	return []line{logEntryLine.line(e.Host, e.Host+": "+e.message(), logEntry{e.Time.UTC(), e.From, ansi.Strip(e.Text)})}
}

type hostLost struct {
	Error string    `json:"error"`
	Kind  hint.Kind `json:"kind,omitempty"`
}

func (e Lost) lines() []line {
	return []line{hostLostLine.line(e.Host, e.Host+": "+e.Err.Error(), hostLost{e.Err.Error(), hint.KindOf(e.Err)}).as(levelWarn)}
}

func (e Back) lines() []line {
	return []line{hostBackLine.line(e.Host, e.Host+": back", noFields{})}
}
