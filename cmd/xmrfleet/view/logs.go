package view

import (
	"fmt"
	"strings"
	"time"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"

	"github.com/charmbracelet/x/ansi"
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

// Unheard: a host could not be asked, or its journal is not heard any more.
type Unheard struct {
	Host string
	Err  error
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

// aside prints a line below the entries that is none.
func (p *Printer) aside(n Name, at time.Time, text string) {
	fmt.Fprintf(p, "%s  %s  %s\n", p.name(n), p.faint(at.Local().Format(time.DateTime)), p.yellow(printable.Text(text)))
}

func (e Lost) lines() []line {
	return []line{{kind: "host_lost", host: e.Host, level: levelWarn, message: e.Host + ": " + e.Err.Error(),
		body: trouble{Error: e.Err.Error(), Kind: hint.KindOf(e.Err)}}}
}

func (e Back) lines() []line {
	return []line{{kind: "host_back", host: e.Host, message: e.Host + ": back"}}
}

func (e Logged) lines() []line {
	return []line{{kind: "log_entry", host: e.Host, message: e.Host + ": " + e.message(), body: struct {
		Time time.Time `json:"time"`
		From string    `json:"from,omitempty"`
		Text string    `json:"text"`
	}{e.Time.UTC(), e.From, ansi.Strip(e.Text)}}}
}

func (e Unheard) text(t *Text) {
	var out strings.Builder
	t.Err.failure(&out, e.Host, e.Err)
	t.Err.Write([]byte(out.String()))
}

func (e Unheard) lines() []line {
	return []line{{kind: "host_unreachable", host: e.Host, level: levelError, message: e.Host + ": " + e.Err.Error(),
		body: troubleOf(e.Err)}}
}
