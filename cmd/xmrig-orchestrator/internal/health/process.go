package health

import (
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// A Process is a host's row of xmrig_processes. Zero times and nil pointers
// are NULL there.
type Process struct {
	Hostname string
	WorkerID string

	State     string
	PID       int // 0: NULL
	StartedAt time.Time
	StoppedAt time.Time // zero while the process runs
	CheckedAt time.Time

	Errors    int // times that the miner became unhealthy, crashed or was restarted
	LastError string
	Restarts  int // by systemd, over the row's whole life

	Hashrate *float64 // H/s over 10 s
	Accepted *int64   // shares of the process last seen
	Rejected *int64
	Snapshot []byte // the summary as JSON; nil when the API did not answer
}

// Next is the row that follows p after an observation and what was decided on
// it. seen is the unit as it was when p was recorded, nil for a row that an
// earlier agent wrote.
func (p Process) Next(o Observation, d Decision, seen *systemd.Unit) Process {
	state, problem := d.State, d.Problem
	n := p
	if o.UnitErr == nil {
		n = n.follow(o.Unit, seen)
	}
	if n.Restarts > p.Restarts {
		n.Errors += n.Restarts - p.Restarts
		if p.State != agent.Restarting { // whose cause is known already
			n.LastError = "ended between two polls; systemd restarted it"
		}
	}
	if failed := state == agent.Unhealthy || state == agent.Crashed; failed {
		if p.State != state || p.LastError != problem {
			n.Errors++
		}
	}
	if problem != "" {
		n.LastError = problem
	}
	n.State = state
	n.CheckedAt = o.At
	return n.measure(o)
}

// follow takes over which process the unit runs: PID and start time together
// name it, since a PID comes back after a reboot.
func (p Process) follow(u systemd.Unit, seen *systemd.Unit) Process {
	p.Restarts += p.restarts(u, seen)
	if u.PID == 0 {
		p.PID = 0
		if !u.Exited.IsZero() {
			p.StoppedAt = u.Exited
		}
		return p
	}
	if p.PID != u.PID || !p.StartedAt.Equal(u.Started) {
		p.Accepted, p.Rejected = nil, nil
	}
	p.PID, p.StartedAt, p.StoppedAt = u.PID, u.Started, time.Time{}
	return p
}

// restarts counts the unit's automatic restarts since p was recorded. systemd
// sets its count back to 0 at a start by hand. So without an earlier count, a
// new process of a unit that has one was itself started automatically: at
// least one restart.
func (p Process) restarts(u systemd.Unit, seen *systemd.Unit) int {
	switch {
	case seen != nil && u.Restarts >= seen.Restarts:
		return u.Restarts - seen.Restarts
	case seen != nil:
		return u.Restarts
	case u.PID != 0 && u.Restarts > 0 && !p.StartedAt.IsZero() && !p.StartedAt.Equal(u.Started):
		return 1
	}
	return 0
}

// measure takes over what the miner says of itself. A summary that comes while
// the unit has no process is of another miner.
func (p Process) measure(o Observation) Process {
	p.Hashrate, p.Snapshot = nil, nil
	if o.Summary == nil || (o.UnitErr == nil && o.Unit.PID == 0) {
		return p
	}
	good, bad := o.Summary.Results.Good, o.Summary.Rejected()
	p.Hashrate = o.Summary.Hashrate.Total[0]
	p.Accepted, p.Rejected = &good, &bad
	p.Snapshot = o.Summary.JSON
	return p
}
