package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// Explained: the hosts said why their miners are as they are.
type Explained struct {
	Hosts []Account
	Took  time.Duration
}

// An Account is what is known on a host of how its miner came into its state.
type Account struct {
	HostStatus
	Events []agent.Event // of the last 24 hours, the newest last
	Unread error         // why the agent told of none, or nil
	Units  []Unit        // the miner's and the agent's
}

// A Unit is what systemd and the journal know of a unit.
type Unit struct {
	Name       string   `json:"name"`
	Active     string   `json:"active_state"`
	Sub        string   `json:"sub_state"`
	Result     string   `json:"result"`
	ExitStatus int      `json:"exit_status"` // of the last process that ended
	Restarts   int      `json:"restarts"`    // by systemd
	Since      string   `json:"since,omitempty"`
	Journal    []string `json:"journal"` // its last lines
}

// lastEvents are what people are shown of a host.
const lastEvents = 10

func (e Explained) text(t *Text) {
	p := t.Out
	var out strings.Builder
	var good, more []HostStatus
	shown := 0
	for _, a := range e.Hosts {
		switch {
		case len(e.Hosts) > fewHosts && !a.remarkable():
			good = append(good, a.HostStatus)
		case shown == failedInFull:
			more = append(more, a.HostStatus)
		default:
			p.account(&out, a)
			shown++
		}
	}
	if more != nil {
		out.WriteString(p.ofOthers(fmt.Sprintf("and %s more with something to say: ", Plural(len(more), "host")), more))
	}
	if good != nil {
		out.WriteString(p.ofOthers(isAre(len(good), "host")+" as described: ", good))
	}
	out.WriteString("\n" + p.total(sumOf(e.statuses()).String(), e.Took))
	io.WriteString(p, out.String())
}

func (e Explained) statuses() []HostStatus {
	hosts := make([]HostStatus, len(e.Hosts))
	for i, a := range e.Hosts {
		hosts[i] = a.HostStatus
	}
	return hosts
}

func (p *Printer) account(out *strings.Builder, a Account) {
	if a.Err != nil {
		p.hang(out, fmt.Sprintf("  %s %s  ", p.red("!"), p.bold(a.Host)), 6, a.Err.Error())
		writeHint(out, a.Err)
		return
	}
	mark := p.green("✓")
	if !a.AsDesired() {
		mark = p.red("!")
	}
	p.hang(out, fmt.Sprintf("  %s %s  ", mark, p.bold(a.Host)), 6, a.headline())
	tell := func(label, text string) {
		if text != "" {
			p.hang(out, fmt.Sprintf("      %-11s ", label), 18, text)
		}
	}
	if !a.AsDesired() && a.Desired != a.State() {
		tell("wanted", a.Desired)
	}
	if a.current() {
		tell("seen", a.Agent.Evidence)
		tell("last error", oneLine(a.Agent.LastError))
	}
	if age, ok := a.checked(); ok {
		tell("checked", ageText(age)+" ago")
	}
	if a.Agent != nil && a.Agent.FailedCommands > 0 {
		tell("commands", failedCommands(a.Agent.FailedCommands))
	}
	p.events(out, a)
	if a.Installed && !a.current() {
		for _, u := range a.Units {
			p.unit(out, u)
		}
	}
}

// headline is the state, why, and since when.
func (a Account) headline() string {
	text := a.State()
	if !a.current() {
		if note := a.note(); note != "" {
			text += ": " + note
		}
		return text
	}
	if cause := a.Agent.Cause; cause != "" && cause != text {
		text += ", " + cause
	}
	if since := a.Agent.Since; since != nil {
		text += fmt.Sprintf(" for %s, since %s", ageText(a.Now.Sub(*since)), since.Local().Format(time.DateTime))
	}
	return text
}

// writeHint writes what can be done about err. It is never wrapped: it may be a command.
func writeHint(out *strings.Builder, err error) {
	if text := hint.Of(err); text != "" {
		fmt.Fprintf(out, "      hint: %s\n", indentRest(printable.Text(text), "      "))
	}
}

func (p *Printer) events(out *strings.Builder, a Account) {
	if a.Unread != nil {
		p.hang(out, "      what happened is not known: ", 8, a.Unread.Error())
		writeHint(out, a.Unread)
		return
	}
	if len(a.Events) == 0 {
		return
	}
	skipped := max(0, len(a.Events)-lastEvents)
	head := "within 24 hours:"
	if skipped > 0 {
		head = fmt.Sprintf("within 24 hours, after %d more (xmrfleet history -l %s):", skipped, a.Host)
	}
	p.hang(out, "      ", 8, head)
	for _, event := range a.Events[skipped:] {
		stamp := event.At.Local().Format(time.DateTime)
		p.hang(out, "        "+p.faint(stamp)+"  ", 10, PastEvent{a.Host, event}.String())
	}
}

func (p *Printer) unit(out *strings.Builder, u Unit) {
	text := fmt.Sprintf("%s (%s)", u.Active, u.Sub)
	if u.Since != "" {
		text += " since " + u.Since
	}
	if u.Result != "" && u.Result != "success" {
		text += fmt.Sprintf("; result %s, exit status %d", u.Result, u.ExitStatus)
	}
	if u.Restarts > 0 {
		text += "; " + Plural(u.Restarts, "restart") + " by systemd"
	}
	p.hang(out, "      "+u.Name+"  ", 8, text)
	for _, line := range u.Journal {
		p.hang(out, "        ", 10, ansi.Strip(line))
	}
}

// hang writes a head and a text behind it, wrapped to the width of the
// terminal, so that its further lines begin at a column.
func (p *Printer) hang(out *strings.Builder, head string, column int, text string) {
	out.WriteString(p.flow(head+printable.Text(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "))+"\n", column))
}

func (e Explained) lines() []line {
	sum := sumOf(e.statuses())
	var lines []line
	for _, a := range e.Hosts {
		l := hostStatus(a.HostStatus, sum)
		body := struct {
			statusBody
			Events []agent.Event `json:"events,omitempty"`
			Unread string        `json:"events_error,omitempty"`
			Units  []Unit        `json:"units,omitempty"`
		}{l.body.(statusBody), a.Events, "", a.Units}
		if a.Unread != nil {
			body.Unread, body.Hint = a.Unread.Error(), hint.Of(a.Unread)
		}
		l.kind, l.body = "host_why", body
		lines = append(lines, l)
	}
	return append(lines, sum.line(e.Took))
}
