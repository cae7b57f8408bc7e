package view

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/dustin/go-humanize"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

// A HostStatus is what one host says of its miner.
type HostStatus struct {
	Host    string
	Desired string // of fleet.hcl
	Err     error  // the host could not be asked
	Kind    string // of Err, for programs
	Hint    string

	// What systemd says.
	Installed           bool
	Active, Sub, Result string
	AgentActive         bool

	Agent *agent.Status // nil: there is no agent to ask
	Now   time.Time     // by the clock of the host, as are the agent's times
}

// staleAfter is when a health check is too old to be believed, from the
// specification's XmrigProcess#stale?.
const staleAfter = 5 * time.Minute

// current reports whether the agent's record can be believed.
func (s HostStatus) current() bool {
	return s.AgentActive && s.Agent != nil && s.Agent.LastHealthCheckAt != nil &&
		s.Now.Sub(*s.Agent.LastHealthCheckAt) < staleAfter
}

// mining reports whether there is a process whose figures the agent has.
func (s HostStatus) mining() bool { return s.current() && s.Active == "active" }

// rate is what the host adds to the fleet's hashrate, in H/s.
func (s HostStatus) rate() float64 {
	if !s.mining() || s.Agent.Hashrate[0] == nil {
		return 0
	}
	return *s.Agent.Hashrate[0]
}

// State is the miner's state: what systemd knows for sure, then the agent's
// word if it is current, then systemd's guess.
func (s HostStatus) State() string {
	ended := s.Active == "inactive" || s.Active == "failed"
	switch {
	case s.Err != nil:
		return "unknown"
	case !s.Installed:
		return modules.StateAbsent
	case s.Active == "failed", ended && s.current() && s.Agent.State == agent.Crashed:
		return agent.Crashed
	case ended:
		return agent.Stopped
	case s.current() && s.Agent.State != agent.Stopped:
		return s.Agent.State
	case s.Active == "active":
		return agent.Running
	case s.Active == "activating" && s.Sub == "auto-restart":
		return agent.Crashed
	case s.Active == "deactivating":
		return agent.Stopping
	}
	return agent.Starting
}

// AsDesired reports whether the miner is what fleet.hcl says, and an agent
// watches over it.
func (s HostStatus) AsDesired() bool {
	return s.Err == nil && s.State() == s.Desired && (s.Desired == modules.StateAbsent || s.current())
}

// Status prints one row a host and the fleet's total.
func (p *Printer) Status(hosts []HostStatus, took time.Duration) {
	t := table.New().Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).
		Headers("HOST", "STATE", "H/s 10s", "60s", "15m", "SHARES", "POOL", "UPTIME", "RESTARTS", "NOTE").
		StyleFunc(func(_, column int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(1)
			if column >= 2 && column <= 4 {
				style = style.Align(lipgloss.Right)
			}
			return style
		})
	var total float64
	asDesired := 0
	for _, h := range hosts {
		if h.AsDesired() {
			asDesired++
		}
		total += h.rate()
	}
	rows, others := remarkable(hosts)
	for _, h := range rows {
		t.Row(p.row(h)...)
	}
	var out strings.Builder
	for line := range strings.Lines(t.String() + "\n") {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	out.WriteString(others)
	for _, h := range rows {
		if h.Err != nil && h.Hint != "" {
			fmt.Fprintf(&out, "hint: %s: %s\n", h.Host, indentRest(Printable(h.Hint), "      "))
		}
	}
	line := fmt.Sprintf("Fleet: %s H/s, %d of %s as described.", rate(&total), asDesired, Plural(len(hosts), "host"))
	fmt.Fprintf(&out, "\n%s\n", spread(p.bold(line), Duration(took), p.Width))
	io.WriteString(p, out.String())
}

func (p *Printer) row(h HostStatus) []string {
	state := p.green(h.State())
	if !h.AsDesired() {
		state = p.red(h.State())
	}
	row := make([]string, 10)
	row[0], row[1], row[9] = h.Host, state, Printable(oneLine(h.note()))
	if !h.current() || !h.Installed {
		return row
	}
	a := h.Agent
	if h.mining() {
		for i, r := range a.Hashrate {
			row[2+i] = rate(r)
		}
		row[7] = age(time.Duration(a.Uptime) * time.Second)
	}
	row[5] = strconv.FormatInt(a.Accepted, 10) + "/" + strconv.FormatInt(a.Rejected, 10)
	row[6] = Printable(a.Pool)
	if a.Pool != "" && !a.PoolConnected {
		row[6] += " (down)"
	}
	row[8] = strconv.Itoa(a.RestartCount)
	return row
}

// note is what is worth saying beyond the columns.
func (h HostStatus) note() string {
	switch {
	case h.Err != nil:
		return h.Err.Error()
	case !h.Installed:
		return ""
	case h.Agent == nil:
		return "no agent; state from systemd"
	case !h.AgentActive:
		return "the agent is down; state from systemd"
	case !h.current():
		return "the agent's last check is older than " + Duration(staleAfter) + "; state from systemd"
	case h.State() == agent.Running || h.State() == agent.Stopped:
		return ""
	}
	return h.Agent.LastError
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// rate prints H/s with four digits that matter; "-" where XMRig has none yet.
func rate(r *float64) string {
	if r == nil {
		return "-"
	}
	if *r < 999.95 {
		return strconv.FormatFloat(*r, 'f', 1, 64)
	}
	return humanize.Comma(int64(math.Round(*r)))
}

// age prints an uptime: "45s", "12m", "3h05m", "9d4h".
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
