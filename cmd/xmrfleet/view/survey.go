package view

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// Surveyed: the hosts said how their miners are.
type Surveyed struct {
	Hosts []HostStatus
	Took  time.Duration

	At    time.Time // of a round; zero: there is only one
	Again bool      // it is not the first round
}

// windows are those of agent.Status.Hashrate.
var windows = [3]string{"10s", "60s", "15m"}

// A fleetSum is what the hosts come to.
type fleetSum struct {
	hosts, healthy, asDesired int
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
		if h.Err == nil && h.Agent != nil {
			t.failed += h.Agent.FailedCommands
		}
		for i := range rates {
			rates[i] += h.rate(i)
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

// share is a host's part of the fleet's hashrate in percent, if both have one.
func (t fleetSum) share(h HostStatus) (percent float64, ok bool) {
	if t.rate == 0 || !h.mining() || h.Agent.Hashrate[t.window] == nil {
		return 0, false
	}
	return 100 * h.rate(t.window) / t.rate, true
}

func (t fleetSum) String() string {
	s := fmt.Sprintf("Fleet: %s H/s (%s), %d of %s healthy, %d as described",
		rate(&t.rate), windows[t.window], t.healthy, Plural(t.hosts, "host"), t.asDesired)
	if t.failed > 0 {
		s += ", " + failedCommands(t.failed)
	}
	return s + "."
}

func (e Surveyed) text(t *Text) { t.Out.survey(e) }

// survey prints one row a host and the fleet's total.
func (p *Printer) survey(e Surveyed) {
	sum := sumOf(e.Hosts)
	beside := Duration(e.Took)
	if !e.At.IsZero() {
		beside = e.At.Format(time.TimeOnly)
	}
	total := p.lastLine(sum.String(), beside)
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

// total is the last line of a report, in several lines where it is too long
// for one.
func (p *Printer) total(text string, took time.Duration) string {
	return p.lastLine(text, Duration(took))
}

// lastLine is total with something else at its end.
func (p *Printer) lastLine(text, beside string) string {
	line := spread(text, beside, p.Width)
	if p.Width > 0 && ansi.StringWidth(line) > p.Width {
		line = ansi.Wrap(text+" "+beside, p.Width, "")
		text = line
	}
	return strings.Replace(line, text, p.bold(text), 1) + "\n"
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
	{title: "CHECKED", rank: 5},
}

func (p *Printer) row(h HostStatus, sum fleetSum) gridRow {
	r := gridRow{cells: make([]string, len(statusColumns)), note: p.Mask(printable.Text(oneLine(h.note())))}
	r.cells[0], r.cells[1] = h.Host, p.state(h)
	if h.Err != nil || !h.Installed {
		return r
	}
	if age, ok := h.checked(); ok {
		r.cells[10] = ageText(age)
	}
	if !h.current() {
		return r
	}
	a := h.Agent
	if h.mining() {
		for i := range a.Hashrate {
			r.cells[2+i] = rate(a.Hashrate[i])
		}
		if percent, ok := sum.share(h); ok {
			r.cells[5] = strconv.FormatFloat(percent, 'f', 1, 64) + "%"
		}
		r.cells[8] = ageText(time.Duration(a.Uptime) * time.Second)
	}
	r.cells[6] = strconv.FormatInt(a.Accepted, 10) + "/" + strconv.FormatInt(a.Rejected, 10)
	r.cells[7] = p.Mask(printable.Text(a.Pool))
	if a.Pool != "" && !a.PoolConnected {
		r.cells[7] += " (down)"
	}
	r.cells[9] = strconv.Itoa(a.RestartCount)
	return r
}

func (p *Printer) state(h HostStatus) string {
	switch {
	case !h.AsDesired():
		return p.red(h.State())
	case h.comingUp():
		return p.yellow(h.State())
	}
	return p.green(h.State())
}

func (e Surveyed) lines() []line {
	sum := sumOf(e.Hosts)
	var lines []line
	for _, h := range e.Hosts {
		lines = append(lines, hostStatus(h, sum))
	}
	return append(lines, sum.line(e.Took))
}

func (t fleetSum) line(took time.Duration) line {
	return line{kind: "status_summary", message: t.String(), body: struct {
		Hosts     int     `json:"hosts"`
		AsDesired int     `json:"as_desired"`
		Healthy   int     `json:"healthy"`
		Hashrate  float64 `json:"hashrate"`
		Window    string  `json:"window"`
		Failed    int     `json:"failed_commands"`
		Took      int64   `json:"took_ms"`
	}{t.hosts, t.asDesired, t.healthy, t.rate, windows[t.window], t.failed, took.Milliseconds()}}
}

// A unitStatus is what systemd says.
type unitStatus struct {
	Installed   bool   `json:"installed"`
	Active      string `json:"active_state"`
	Sub         string `json:"sub_state"`
	Result      string `json:"result"`
	AgentActive bool   `json:"agent_active"`
}

// A statusBody gives both sources: what systemd says and, where there is one,
// the whole answer of the agent.
type statusBody struct {
	State     string        `json:"state"`
	Desired   string        `json:"desired"`
	AsDesired bool          `json:"as_desired"`
	Healthy   bool          `json:"healthy"`
	Stale     bool          `json:"stale,omitempty"`
	CheckAge  *float64      `json:"check_age_s,omitempty"`
	Share     *float64      `json:"share,omitempty"`
	Note      string        `json:"note,omitempty"`
	Systemd   *unitStatus   `json:"systemd,omitempty"`
	Agent     *agent.Status `json:"agent,omitempty"`
	trouble
}

func hostStatus(h HostStatus, sum fleetSum) line {
	body := statusBody{State: h.State(), Desired: h.Desired, AsDesired: h.AsDesired(), Healthy: h.Healthy(),
		Stale: h.Agent != nil && h.Stale(), Agent: h.Agent, trouble: troubleOf(h.Err)}
	if age, ok := h.checked(); ok {
		seconds := age.Round(time.Millisecond).Seconds()
		body.CheckAge = &seconds
	}
	if share, ok := sum.share(h); ok {
		body.Share = &share
	}
	l := line{kind: "host_status", host: h.Host, message: h.Host + ": " + body.State}
	if !body.AsDesired {
		l.level = levelError
	}
	if h.Err != nil {
		l.message = l.message + ": " + h.Err.Error()
	} else {
		body.Note = h.note()
		body.Systemd = &unitStatus{h.Installed, h.Active, h.Sub, h.Result, h.AgentActive}
	}
	l.body = body
	return l
}
