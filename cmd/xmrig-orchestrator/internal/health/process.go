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

	Errors    int // how often the miner became unhealthy, crashed or was restarted
	LastError string
	Restarts  int // by systemd and by the agent, over the whole life of the row

	Hashrate *float64 // H/s over 10 s
	Accepted *int64   // shares of the last process; nil until its first answer
	Rejected *int64
	Snapshot []byte // the summary as JSON; nil when the API did not answer
}

// Next returns the row that follows p after an observation and its decision. Seen
// is the unit as it was when p was saved, nil if that is not known.
func (p Process) Next(o Observation, d Decision, seen *systemd.Unit) Process {
	state, problem := d.State, d.Problem
	n := p
	if o.UnitErr == nil {
		n = n.follow(o.Unit, seen)
	}
	if n.Restarts > p.Restarts {
		n.Errors += n.Restarts - p.Restarts
		if p.State != agent.Restarting { // or LastError says why already
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

// follow takes over the unit's process. It is another one if its PID or its start
// time is another, because PIDs come back after a reboot.
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

// restarts counts the unit's automatic restarts since p was saved. systemd sets
// its count back to 0 when somebody starts the unit. So where no earlier count
// is known, but the count is not 0 and the process is a new one, the process was
// started automatically: at least one restart.
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

// measure takes over the figures of the miner's summary. Where the unit has no
// process, the summary is another miner's and is ignored.
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
