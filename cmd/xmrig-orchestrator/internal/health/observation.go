// Package health decides from what polls see of the miner what is the matter
// with it and what is to be done, and what the tables say of it. It is pure:
// no clock, no I/O, so that every rule is a line in a table of tests, and
// years can be simulated in a minute.
//
// XMRig reports 0 H/s for half a dozen reasons, and a restart cures one of
// them. So each rule asks for the evidence that tells its cause from the
// others: the connection, the current job, the process's CPU time. To add a
// rule, add its reading to Run.read, its verdict to Watch.judge, and its case
// to the simulation.
package health

import (
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
)

// An Observation is what one poll saw.
type Observation struct {
	At     time.Time     // for the record only: the wall clock may step
	Since  time.Duration // since boot, by the monotonic clock: decides
	BootID string

	Unit    systemd.Unit
	UnitErr error // set: Unit is unknown

	Summary  *miner.Summary // nil: the API did not answer, and APIErr is set
	APIErr   error
	Backends *miner.Backends // nil: not known

	// Foreign is a process that has the API's port in place of the miner's.
	// Its answers are nobody's: Summary is nil, and APIErr says why.
	Foreign *port.Owner

	CPU    time.Duration // that the unit's process has used so far
	CPUErr error         // set: CPU is unknown

	// Revision names the binary and the configuration that the process was
	// started with. Its usual hashrate is learned anew with each.
	Revision string

	Desired   string // agent.Running or agent.Stopped
	OnPurpose bool   // somebody stopped the miner and it shall stay so
}

// wanted tells whether the miner should run.
func (o Observation) wanted() bool { return o.Desired != "stopped" && !o.OnPurpose }
