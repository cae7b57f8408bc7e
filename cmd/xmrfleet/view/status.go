package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

// A HostStatus is what one host says of its miner.
type HostStatus struct {
	Host    string
	Desired string // of fleet.hcl
	Err     error  // the host could not be asked

	// What systemd says.
	Installed           bool
	Active, Sub, Result string
	PID                 int // of the miner; 0: there is no process
	AgentActive         bool

	Agent *agent.Status // nil: there is no agent to ask
	Now   time.Time     // by the clock of the host, as are the agent's times
}

// From the specification's XmrigProcess: what is older than staleAfter is not
// believed (stale?), and a healthy miner was seen within healthyWithin
// (healthy?).
const (
	staleAfter    = 5 * time.Minute
	healthyWithin = 2 * time.Minute
)

// checked is the age of the agent's last health check, if there was one.
func (s HostStatus) checked() (age time.Duration, ok bool) {
	if s.Agent == nil || s.Agent.LastHealthCheckAt == nil {
		return 0, false
	}
	return s.Now.Sub(*s.Agent.LastHealthCheckAt), true
}

// Stale reports whether the last health check is too old to be believed.
func (s HostStatus) Stale() bool {
	age, ok := s.checked()
	return !ok || age > staleAfter
}

// Healthy reports whether the miner runs and the agent saw it do so just now.
func (s HostStatus) Healthy() bool {
	age, ok := s.checked()
	return ok && age < healthyWithin && s.Agent.State == agent.Running && s.State() == agent.Running
}

// current reports whether the agent's record can be believed.
func (s HostStatus) current() bool { return s.AgentActive && !s.Stale() }

// unseen reports whether the miner was started after the agent's last check,
// which was of another process.
func (s HostStatus) unseen() bool {
	return s.current() && s.Active == "active" && s.PID != 0 && s.Agent.PID != 0 && s.PID != s.Agent.PID
}

// mining reports whether there is a process whose figures the agent has.
func (s HostStatus) mining() bool { return s.current() && s.Active == "active" && !s.unseen() }

// rate is what the host adds to the fleet's hashrate in one of the agent's
// windows, in H/s.
func (s HostStatus) rate(window int) float64 {
	if !s.mining() || s.Agent.Hashrate[window] == nil {
		return 0
	}
	return *s.Agent.Hashrate[window]
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
	case s.unseen():
		return agent.Starting
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

// AsDesired reports whether the miner is what fleet.hcl says, or on its way
// there, and an agent watches over it.
func (s HostStatus) AsDesired() bool {
	switch {
	case s.Err != nil:
		return false
	case s.Desired == modules.StateAbsent:
		return s.State() == modules.StateAbsent
	}
	return s.current() && (s.State() == s.Desired || s.comingUp())
}

// comingUp reports whether a miner that should run does, but has not hashed
// yet. That passes: in time, the agent calls it running, unhealthy or crashed.
func (s HostStatus) comingUp() bool {
	return s.Desired == modules.StateRunning && s.current() && s.Active == "active" && s.State() == agent.Starting
}

// note is what is worth saying beyond the figures.
func (s HostStatus) note() string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case !s.Installed:
		return ""
	case s.Agent == nil:
		return "no agent; state from systemd"
	case !s.AgentActive:
		return "the agent is down; state from systemd"
	case s.Stale():
		return s.silence() + "; state from systemd"
	}
	var notes []string
	switch state := s.State(); {
	case s.unseen():
		notes = append(notes, "started after the agent's last check")
	case state == agent.Stopped && s.Desired == modules.StateRunning:
		notes = append(notes, "fleet.hcl wants it running")
	case state != agent.Running && state != agent.Stopped && s.Agent.LastError != "":
		notes = append(notes, s.Agent.LastError)
	}
	if n := s.Agent.FailedCommands; n > 0 {
		notes = append(notes, failedCommands(n))
	}
	return strings.Join(notes, "; ")
}

// silence is what is said of an agent that runs and does not check.
func (s HostStatus) silence() string {
	if age, ok := s.checked(); ok {
		return "stale: no health check for " + ageText(age)
	}
	if s.Agent.LastError != "" {
		return "no health check yet: " + s.Agent.LastError
	}
	return "no health check yet"
}

func failedCommands(n int) string { return Plural(n, "command") + " failed within the last hour" }

// remarkable reports whether there is something to see.
func (s HostStatus) remarkable() bool { return !s.AsDesired() || s.note() != "" }

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

// ageText prints an age or an uptime: "45s", "12m", "3h05m", "9d4h".
func ageText(d time.Duration) string {
	switch d = max(0, d).Truncate(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
