package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

// Why: the hosts said why their miners are as they are.
type Why struct {
	Hosts []HostWhy
	Took  time.Duration
}

// A HostWhy is what a host knows of how its miner came into its state.
type HostWhy struct {
	HostStatus
	Events []agent.Event        // of the last 24 hours, the newest last
	Unread error                // why the agent told of none, or nil
	Units  []modules.UnitReport // the miner's and the agent's
}

// lastEvents are what people are shown of a host.
const lastEvents = 10

func (e Why) text(t *Text) {
	p := t.Out
	var out strings.Builder
	var good, more []HostStatus
	shown := 0
	for _, h := range e.Hosts {
		switch {
		case len(e.Hosts) > fewHosts && !h.remarkable():
			good = append(good, h.HostStatus)
		case shown == failedInFull:
			more = append(more, h.HostStatus)
		default:
			p.why(&out, h)
			shown++
		}
	}
	if more != nil {
		out.WriteString(p.ofOthers(fmt.Sprintf("and %s more with something to say: ", Plural(len(more), "host")), more))
	}
	if good != nil {
		out.WriteString(p.ofOthers(isAre(len(good), "host")+" as described: ", good))
	}
	out.WriteString("\n" + p.alarms(e.statuses()) + p.total(sumOf(e.statuses()).String(), e.Took))
	io.WriteString(p, out.String())
}

func (e Why) statuses() []HostStatus {
	hosts := make([]HostStatus, len(e.Hosts))
	for i, h := range e.Hosts {
		hosts[i] = h.HostStatus
	}
	return hosts
}

func (p *Printer) why(out *strings.Builder, h HostWhy) {
	if h.Err != nil {
		p.hang(out, fmt.Sprintf("  %s %s  ", p.red("!"), p.bold(h.Host)), 6, h.Err.Error())
		out.WriteString(troubleOf(h.Err).hintLine())
		return
	}
	mark := p.green("✓")
	if !h.AsDesired() {
		mark = p.red("!")
	}
	p.hang(out, fmt.Sprintf("  %s %s  ", mark, p.bold(h.Host)), 6, h.headline())
	tell := func(label, text string) {
		if text != "" {
			p.hang(out, fmt.Sprintf("      %-11s ", label), 18, text)
		}
	}
	if !h.AsDesired() && h.Desired != h.State() {
		tell("wanted", h.Desired)
	}
	tell("astray", h.Drift.Astray)
	for i, text := range h.Drift.Differs {
		tell([]string{"differs", ""}[min(i, 1)], text)
	}
	if h.Current() {
		tell("seen", h.Agent.Evidence)
		tell("last error", oneLine(h.Agent.LastError))
	}
	tell("versions", h.versions())
	if age, ok := h.CheckAge(); ok {
		tell("checked", ageText(age)+" ago")
	}
	if h.Agent != nil && h.Agent.FailedCommands > 0 {
		tell("commands", failedCommands(h.Agent.FailedCommands))
	}
	p.events(out, h)
	if h.Installed && !h.Current() {
		for _, u := range h.Units {
			p.unit(out, u)
		}
	}
}

// versions are those of the processes that run, as far as they said.
func (h HostWhy) versions() string {
	var all []string
	if h.Agent == nil || !h.Current() {
		return ""
	}
	if v := h.Agent.XMRigVersion; v != "" && h.Mining() {
		all = append(all, "xmrig "+v)
	}
	if d := h.Daemon(); d != nil && d.Version != "" {
		all = append(all, "agent "+d.Version)
	}
	return strings.Join(all, ", ")
}

// headline is the state, why, and since when.
func (h HostWhy) headline() string {
	text := h.State()
	if !h.Current() {
		if note := h.note(); note != "" {
			text += ": " + note
		}
		return text
	}
	if cause := h.Agent.Cause; cause != "" && cause != text {
		text += ", " + cause
	}
	if since := h.Agent.Since; since != nil {
		text += fmt.Sprintf(" for %s, since %s", ageText(h.Now.Sub(*since)), since.Local().Format(time.DateTime))
	}
	return text
}

func (p *Printer) events(out *strings.Builder, h HostWhy) {
	if h.Unread != nil {
		p.hang(out, "      what happened is not known: ", 8, h.Unread.Error())
		out.WriteString(troubleOf(h.Unread).hintLine())
		return
	}
	if len(h.Events) == 0 {
		return
	}
	skipped := max(0, len(h.Events)-lastEvents)
	head := "within 24 hours:"
	if skipped > 0 {
		head = fmt.Sprintf("within 24 hours, after %d more (xmrfleet history -l %s):", skipped, h.Host)
	}
	p.hang(out, "      ", 8, head)
	for _, event := range h.Events[skipped:] {
		stamp := event.At.Local().Format(time.DateTime)
		p.hang(out, "        "+p.faint(stamp)+"  ", 10, PastEvent{Host: h.Host, Event: event}.String())
	}
}

func (p *Printer) unit(out *strings.Builder, u modules.UnitReport) {
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

type hostWhyFields struct {
	hostStatusFields
	Events []agent.Event        `json:"events,omitempty"`
	Unread string               `json:"events_error,omitempty"`
	Units  []modules.UnitReport `json:"units,omitempty"`
}

func (e Why) lines() []line {
	sum := sumOf(e.statuses())
	var lines []line
	for _, h := range e.Hosts {
		fields := hostWhyFields{h.fields(sum), h.Events, "", h.Units}
		if h.Unread != nil {
			fields.Unread, fields.Hint = h.Unread.Error(), hint.Of(h.Unread)
		}
		lines = append(lines, hostWhyLine.line(h.Host, h.message(), fields).as(h.level()))
	}
	return append(lines, sum.line(e.Took))
}
