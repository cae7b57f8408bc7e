package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xmrfleet/modules/agent"
)

// A Status is how a host's miner is: what systemd says, what is known of the
// two units and, where there is one, the answer of the agent.
type Status struct {
	Installed           bool
	Active, Sub, Result string // of the miner's unit
	PID                 int    // of the miner; 0: there is no process
	AgentActive         bool

	Miner, Watcher UnitEvidence // of the miner's unit and of the agent's

	Agent *agent.Status // nil: there is no agent to ask
	Now   time.Time     // by the clock of the host, as are the agent's times
}

// isAgent is the condition that the file $agent is a build of ours. A daemon of
// another kind is not asked anything: it would start.
const isAgent = `case $(head -c 4 "$agent" 2>/dev/null) in *ELF) true ;; *) false ;; esac`

// statusProbe asks systemd for both units at once. It separates them by an empty
// line, and from what follows by a line of their own.
const statusProbe = evidenceProbe + `
miner=$1 unit=$2 agent=$3
echo "now=$(date +%s)"
systemctl show -p LoadState,ActiveState,SubState,Result,MainPID,InvocationID,UnitFileState,NeedDaemonReload "$miner" "$unit"
echo evidence=
evidence miner "$miner" "/etc/systemd/system/$miner" "$4" "$5"
evidence agent "$unit" "/etc/systemd/system/$unit" "$6" "$agent"
` + isAgent + ` || exit 0
printf 'status='
timeout 5 "$agent" status --json
:`

// StatusProbe reads a Status. ParseStatus understands its output.
func StatusProbe() Command {
	return Command{Script: statusProbe, Args: []string{agent.MinerUnit, agent.Unit, agent.Binary,
		minerConfig, minerBinary, agent.SettingsFile}}
}

// ParseStatus reads what StatusProbe printed. The error says that systemd did
// not answer, or that the agent's answer cannot be understood.
func ParseStatus(probed string) (Status, error) {
	text, answer, _ := strings.Cut(probed, "status=")
	shown, evidence, _ := strings.Cut(text, "evidence=\n")
	first, second, _ := strings.Cut(shown, "\n\n")
	miner, watcher := properties(first), properties(second)
	s := Status{
		Installed:   miner["LoadState"] == "loaded",
		Active:      miner["ActiveState"],
		Sub:         miner["SubState"],
		Result:      miner["Result"],
		AgentActive: watcher["ActiveState"] == "active",
		Miner:       parseEvidence(miner, evidence, "miner"),
		Watcher:     parseEvidence(watcher, evidence, "agent"),
	}
	if s.Active == "" {
		return s, errors.New("read status: systemd did not answer")
	}
	s.PID, _ = strconv.Atoi(miner["MainPID"])
	seconds, _ := strconv.ParseInt(miner["now"], 10, 64)
	s.Now = time.Unix(seconds, 0)
	if answer = strings.TrimSpace(answer); answer == "" {
		return s, nil
	}
	var status agent.Status
	if err := json.Unmarshal([]byte(answer), &status); err != nil {
		return s, fmt.Errorf("read status: the agent's answer is not JSON: %w", err)
	}
	if status.Version > agent.StatusVersion {
		return s, fmt.Errorf("read status: the agent is newer than this xmrfleet (status version %d, want %d)", status.Version, agent.StatusVersion)
	}
	s.Agent = &status
	return s, nil
}

// up reports whether a miner runs, or is on its way.
func (s Status) up() bool {
	return s.Active == "active" || s.Active == "activating" || s.Active == "reloading"
}

// From the specification's XmrigProcess: what is older than staleAfter is not
// believed (stale?), and a healthy miner was seen within healthyWithin
// (healthy?).
const (
	staleAfter    = 5 * time.Minute
	healthyWithin = 2 * time.Minute
)

// CheckAge is how long ago the agent's last health check was. It is false if
// there was none.
func (s Status) CheckAge() (age time.Duration, ok bool) {
	if s.Agent == nil || s.Agent.LastHealthCheckAt == nil {
		return 0, false
	}
	return s.Now.Sub(*s.Agent.LastHealthCheckAt), true
}

// Stale reports whether the last health check is too old to be believed, or
// missing.
func (s Status) Stale() bool {
	age, ok := s.CheckAge()
	return !ok || age > staleAfter
}

// Current reports whether the agent's record can be believed: the agent runs
// and has checked of late.
func (s Status) Current() bool { return s.AgentActive && !s.Stale() }

// Daemon is what the agent that runs says of itself; nil: it did not say it yet.
// What an earlier one said is none of it.
func (s Status) Daemon() *agent.Daemon {
	if s.Agent == nil || !s.AgentActive {
		return nil
	}
	if d := s.Agent.Daemon; d != nil && d.InvocationID == s.Watcher.Invocation {
		return d
	}
	return nil
}

// Unseen reports whether the miner was started after the agent's last check,
// which was of another process. An agent that does not say of which start it
// speaks is judged by the process's number, which comes again.
func (s Status) Unseen() bool {
	if !s.Current() || s.Active != "active" || s.PID == 0 {
		return false
	}
	if d := s.Agent.Daemon; d != nil && d.Miner != "" && s.Miner.Invocation != "" {
		return d.Miner != s.Miner.Invocation
	}
	return s.Agent.PID != 0 && s.PID != s.Agent.PID
}

// Mining reports whether there is a process whose figures the agent has.
func (s Status) Mining() bool { return s.Current() && s.Active == "active" && !s.Unseen() }

// Hashrate is what the miner adds to its fleet in one of the windows of
// [agent.Status], in H/s. It is false where nothing is known of a running
// process.
func (s Status) Hashrate(window int) (rate float64, ok bool) {
	if !s.Mining() || s.Agent.Hashrate[window] == nil {
		return 0, false
	}
	return *s.Agent.Hashrate[window], true
}

// State is the miner's state: what systemd knows for sure, then the agent's
// word if it is current, then systemd's guess. It is StateAbsent or one of the
// states of package agent.
func (s Status) State() string {
	ended := s.Active == "inactive" || s.Active == "failed"
	switch {
	case !s.Installed:
		return StateAbsent
	case s.Active == "failed", ended && s.Current() && s.Agent.State == agent.Crashed:
		return agent.Crashed
	case ended:
		return agent.Stopped
	case s.Unseen():
		return agent.Starting
	case s.Current() && s.Agent.State != agent.Stopped:
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

// Healthy reports whether the miner runs and the agent saw it do so within two
// minutes.
func (s Status) Healthy() bool {
	age, ok := s.CheckAge()
	return ok && age < healthyWithin && s.Agent.State == agent.Running && s.State() == agent.Running
}

// As reports whether the miner is as desired (StateRunning, StateStopped or
// StateAbsent), or on its way there, and an agent watches over it.
func (s Status) As(desired string) bool {
	if desired == StateAbsent {
		return s.State() == StateAbsent
	}
	return s.Current() && (s.State() == desired || s.ComingUp(desired))
}

// ComingUp reports whether a miner that should run does, but has not hashed
// yet. That passes: in time, the agent calls it running, unhealthy or crashed.
func (s Status) ComingUp(desired string) bool {
	return desired == StateRunning && s.Current() && s.Active == "active" && s.State() == agent.Starting
}
