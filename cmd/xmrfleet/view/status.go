package view

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// Status: the hosts said how their miners are.
type Status struct {
	Hosts []HostStatus
	Took  time.Duration

	At    time.Time // of a round; zero: there is only one
	Again bool      // it is not the first round
}

// A HostStatus is how the miner of a host is, or why that is not known.
type HostStatus struct {
	Host    string
	Desired string // of fleet.hcl
	Err     error  // the host could not be asked
	modules.Status
	Drift  modules.Drift // in what the host differs from fleet.hcl
	Waited error         // why it was waited for in vain, or nil
}

// State is that of the miner, or "unknown".
func (h HostStatus) State() string {
	if h.Err != nil {
		return "unknown"
	}
	return h.Status.State()
}

// AsDesired reports whether the miner and its agent are known to be what
// fleet.hcl says, or on their way there.
func (h HostStatus) AsDesired() bool {
	return h.Err == nil && h.As(h.Desired) && !h.Drift.Any() && h.Waited == nil
}

// note is what is worth saying beyond the figures.
func (h HostStatus) note() string {
	switch {
	case h.Err != nil:
		return h.Err.Error()
	case !h.Installed:
		return ""
	}
	notes := append(h.condition(), h.drift()...)
	if h.Waited != nil && !slices.Contains(notes, h.Waited.Error()) {
		notes = append(notes, "waited in vain: "+h.Waited.Error())
	}
	return strings.Join(notes, "; ")
}

// drift says in what the host is not as described.
func (h HostStatus) drift() []string {
	notes := slices.Clone(h.Drift.Differs)
	if h.Drift.Astray != "" {
		notes = append([]string{h.Drift.Astray}, notes...)
	}
	if h.Drift.Planned {
		notes = append(notes, "see `xmrfleet plan`")
	}
	return notes
}

// condition says how miner and agent are, whatever they should be.
func (h HostStatus) condition() (notes []string) {
	switch {
	case h.Agent == nil:
		return []string{"no agent; state from systemd"}
	case !h.AgentActive:
		return []string{"the agent is down; state from systemd"}
	case h.Stale():
		return []string{h.silence() + "; state from systemd"}
	}
	switch state := h.State(); {
	case h.Unseen():
		notes = append(notes, "started after the agent's last check")
	case h.Mining() && h.Agent.Paused:
		notes = append(notes, "paused")
	case state == agent.Stopped && h.Desired == modules.StateRunning:
		notes = append(notes, "fleet.hcl wants it running")
	case state != agent.Running && state != agent.Stopped && h.Agent.LastError != "":
		notes = append(notes, h.Agent.LastError)
	}
	if n := h.Agent.FailedCommands; n > 0 {
		notes = append(notes, failedCommands(n))
	}
	return notes
}

// silence is what is said of an agent that runs and does not check.
func (h HostStatus) silence() string {
	if age, ok := h.CheckAge(); ok {
		return "stale: no health check for " + ageText(age)
	}
	if h.Agent.LastError != "" {
		return "no health check yet: " + h.Agent.LastError
	}
	return "no health check yet"
}

func failedCommands(n int) string { return Plural(n, "command") + " failed within the last hour" }

// remarkable reports whether the host has to be seen in a list of many: it is
// not as desired, or there is a note.
func (h HostStatus) remarkable() bool { return !h.AsDesired() || h.note() != "" }

// windows names the windows of agent.Status.Hashrate.
var windows = [3]string{"10s", "60s", "15m"}

// A fleetSum is the sum over all hosts.
type fleetSum struct {
	hosts, healthy, asDesired int
	astray                    int // work for somebody else
	failed                    int // commands
	window                    int // the shortest one in which any miner has a hashrate
	rate                      float64
}

func sumOf(hosts []HostStatus) fleetSum {
	t := fleetSum{hosts: len(hosts)}
	var rates [len(windows)]float64
	for _, h := range hosts {
		if h.Healthy() {
			t.healthy++
		}
		if h.AsDesired() {
			t.asDesired++
		}
		if h.Drift.Astray != "" {
			t.astray++
		}
		if h.Err == nil && h.Agent != nil {
			t.failed += h.Agent.FailedCommands
		}
		for i := range rates {
			rate, _ := h.hashrate(i)
			rates[i] += rate
		}
	}
	for t.window < len(rates)-1 && rates[t.window] == 0 {
		t.window++
	}
	if rates[t.window] == 0 {
		t.window = 0
	}
	t.rate = rates[t.window]
	return t
}

// hashrate is what the miner adds to the fleet: nothing where it works for
// somebody else.
func (h HostStatus) hashrate(window int) (rate float64, ok bool) {
	if h.Drift.Astray != "" {
		return 0, false
	}
	return h.Hashrate(window)
}

// share is a host's part of the fleet's hashrate in percent, if both have one.
func (t fleetSum) share(h HostStatus) (percent float64, ok bool) {
	rate, ok := h.hashrate(t.window)
	if !ok || t.rate == 0 {
		return 0, false
	}
	return 100 * rate / t.rate, true
}

func (t fleetSum) String() string {
	s := fmt.Sprintf("Fleet: %s H/s (%s), %d of %s healthy, %d as described",
		rate(&t.rate), windows[t.window], t.healthy, Plural(t.hosts, "host"), t.asDesired)
	if t.astray > 0 {
		s += fmt.Sprintf(", %d for somebody else", t.astray)
	}
	if t.failed > 0 {
		s += ", " + failedCommands(t.failed)
	}
	return s + "."
}

func (e Status) text(t *Text) { t.Out.status(e) }

// status prints one row a host and the fleet's total.
func (p *Printer) status(e Status) {
	sum := sumOf(e.Hosts)
	beside := Duration(e.Took)
	if !e.At.IsZero() {
		beside = e.At.Format(time.TimeOnly)
	}
	total := p.alarms(e.Hosts) + p.lastLine(sum.String(), beside)
	rows, others := p.chosen(e.Hosts, 2+strings.Count(total, "\n"))
	g := grid{columns: statusColumns}
	for _, h := range rows {
		g.rows = append(g.rows, p.row(h, sum))
	}
	var out strings.Builder
	if e.Again && p.Height == 0 {
		out.WriteString("\n")
	}
	if rows != nil {
		for _, line := range g.lines(p.Width, p.Height > 0) {
			fmt.Fprintln(&out, line)
		}
	}
	out.WriteString(others)
	if p.Height == 0 {
		for _, h := range rows {
			if text := hint.Of(h.Err); text != "" {
				fmt.Fprintf(&out, "hint: %s: %s\n", h.Host, indentRest(printable.Text(text), "      "))
			}
		}
	}
	out.WriteString("\n" + total)
	io.WriteString(p, out.String())
}

// alarms are the lines for hosts whose miners work for somebody else. They stand
// where a reader looks last, and no column has to make room for them.
func (p *Printer) alarms(hosts []HostStatus) string {
	var astray []hostFailure
	for _, h := range hosts {
		if h.Drift.Astray != "" {
			astray = append(astray, hostFailure{h.Host, h.Drift.Astray})
		}
	}
	var out strings.Builder
	for _, g := range grouped(astray, func(f hostFailure) string { return f.text }) {
		line := p.Mask(printable.Text(fmt.Sprintf("FOR SOMEBODY ELSE: %s: %s", names(hostsIn(g)), g[0].text)))
		if p.Height > 0 {
			out.WriteString(p.red(p.cut(line, 0)) + "\n")
		} else {
			out.WriteString(p.flow(p.red(line)+"\n", 2))
		}
	}
	return out.String()
}

var statusColumns = []gridColumn{
	{title: "HOST"},
	{title: "STATE"},
	{title: "H/s 10s", rank: 1, right: true},
	{title: "60s", rank: 7, right: true},
	{title: "15m", rank: 8, right: true},
	{title: "OF FLEET", rank: 6, right: true},
	{title: "SHARES", rank: 2},
	{title: "POOL", rank: 9},
	{title: "UPTIME", rank: 4},
	{title: "RESTARTS", rank: 3},
	{title: "XMRIG", rank: 10},
	{title: "CHECKED", rank: 5},
}

func (p *Printer) row(h HostStatus, sum fleetSum) gridRow {
	r := gridRow{cells: make([]string, len(statusColumns)), note: p.Mask(printable.Text(oneLine(h.note())))}
	r.cells[0], r.cells[1] = h.Host, p.state(h)
	if h.Err != nil || !h.Installed {
		return r
	}
	if age, ok := h.CheckAge(); ok {
		r.cells[11] = ageText(age)
	}
	if !h.Current() {
		return r
	}
	a := h.Agent
	if h.Mining() {
		for i := range a.Hashrate {
			r.cells[2+i] = rate(a.Hashrate[i])
		}
		if percent, ok := sum.share(h); ok {
			r.cells[5] = strconv.FormatFloat(percent, 'f', 1, 64) + "%"
		}
		r.cells[6] = strconv.FormatInt(a.Accepted, 10) + "/" + strconv.FormatInt(a.Rejected, 10)
		r.cells[7] = p.Mask(printable.Text(a.Pool))
		if a.Pool != "" && !a.PoolConnected {
			r.cells[7] += " (down)"
		}
		r.cells[8] = ageText(time.Duration(a.Uptime) * time.Second)
		r.cells[10] = printable.Text(a.XMRigVersion)
	}
	r.cells[9] = strconv.Itoa(a.RestartCount)
	return r
}

func (p *Printer) state(h HostStatus) string {
	switch {
	case !h.AsDesired():
		return p.red(h.State())
	case h.ComingUp(h.Desired):
		return p.yellow(h.State())
	}
	return p.green(h.State())
}

func (e Status) lines() []line {
	sum := sumOf(e.Hosts)
	var lines []line
	for _, h := range e.Hosts {
		lines = append(lines, hostStatusLine.line(h.Host, h.message(), h.fields(sum)).as(h.level()))
	}
	return append(lines, sum.line(e.Took))
}

type statusSummary struct {
	Hosts     int     `json:"hosts"`
	AsDesired int     `json:"as_desired"`
	Astray    int     `json:"astray"`
	Healthy   int     `json:"healthy"`
	Hashrate  float64 `json:"hashrate"`
	Window    string  `json:"window"`
	Failed    int     `json:"failed_commands"`
	Took      int64   `json:"took_ms"`
}

func (t fleetSum) line(took time.Duration) line {
	return statusSummaryLine.line("", t.String(),
		statusSummary{t.hosts, t.asDesired, t.astray, t.healthy, t.rate, windows[t.window], t.failed, took.Milliseconds()})
}

// unitStatus is what systemd says of the two units.
type unitStatus struct {
	Installed   bool   `json:"installed"`
	Active      string `json:"active_state"`
	Sub         string `json:"sub_state"`
	Result      string `json:"result"`
	AgentActive bool   `json:"agent_active"`
}

// hostStatusFields give both sources: what systemd says and, where there is
// one, the whole answer of the agent.
type hostStatusFields struct {
	State     string        `json:"state"`
	Desired   string        `json:"desired"`
	AsDesired bool          `json:"as_desired"`
	Astray    string        `json:"astray,omitempty"`
	Drift     []string      `json:"drift,omitempty"`
	Healthy   bool          `json:"healthy"`
	Stale     bool          `json:"stale,omitempty"`
	CheckAge  *float64      `json:"check_age_s,omitempty"`
	Share     *float64      `json:"share,omitempty"`
	Note      string        `json:"note,omitempty"`
	Systemd   *unitStatus   `json:"systemd,omitempty"`
	Agent     *agent.Status `json:"agent,omitempty"`
	trouble
}

func (h HostStatus) fields(sum fleetSum) hostStatusFields {
	f := hostStatusFields{State: h.State(), Desired: h.Desired, AsDesired: h.AsDesired(),
		Astray: h.Drift.Astray, Drift: h.Drift.Differs, Healthy: h.Healthy(),
		Stale: h.Agent != nil && h.Stale(), Agent: h.Agent, trouble: troubleOf(h.Err)}
	if age, ok := h.CheckAge(); ok {
		seconds := age.Round(time.Millisecond).Seconds()
		f.CheckAge = &seconds
	}
	if share, ok := sum.share(h); ok {
		f.Share = &share
	}
	if h.Agent != nil { // for whom it mines was compared, and could be guessed from its checksums
		shown := *h.Agent
		shown.Config = nil
		f.Agent = &shown
	}
	if h.Err == nil {
		f.Note = h.note()
		f.Systemd = &unitStatus{h.Installed, h.Active, h.Sub, h.Result, h.AgentActive}
	}
	return f
}

func (h HostStatus) message() string {
	text := h.Host + ": " + h.State()
	switch {
	case h.Err != nil:
		text += ": " + h.Err.Error()
	case h.Drift.Any():
		text += ": " + strings.Join(h.drift(), "; ")
	}
	return text
}

func (h HostStatus) level() string {
	if h.AsDesired() {
		return ""
	}
	return levelError
}
