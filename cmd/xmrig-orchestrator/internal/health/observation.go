package health

import (
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
)

// An Observation is what one poll saw of the host.
type Observation struct {
	At     time.Time     // to be shown only, because the wall clock may step
	Since  time.Duration // boot, by the monotonic clock: this one decides
	BootID string

	Unit    systemd.Unit
	UnitErr error // set: Unit is unknown

	Summary  *miner.Summary // nil: the API did not answer, and APIErr is set
	APIErr   error
	Backends *miner.Backends // nil: not known

	// Foreign is a process that has the API's port in place of the miner, nil
	// where there is none. Its answers are not the miner's: Summary is nil,
	// and APIErr says why.
	Foreign *port.Owner

	CPU    time.Duration // that the unit's process has used so far
	CPUErr error         // set: CPU is unknown

	// Revision names the binary and the configuration that the process was
	// started with. Each has a usual hashrate of its own.
	Revision string

	Desired string // by fleet.hcl: agent.Running or agent.Stopped
}
