// Package health decides. From what the polls see of the miner it tells the
// miner's state, why it is in that state, and what is to be done; and what the
// host's row says of it. It may not look at a clock or do any I/O, so that each
// rule is a line in a table of tests, and years are simulated in a minute.
//
// XMRig reports 0 H/s for half a dozen reasons, and a restart cures one of
// them. So each rule asks for the evidence that tells its cause from the
// others: the connection, the current job, the process's CPU time.
//
// A rule has two halves. The reading of one poll is the cause that it shows
// (Run.read, reading.go); the verdict is what that cause means after it has held
// for a while (Watch.verdict, decide.go). Before both come the rules for a unit
// without a process, in the order of Watch.decide.
//
//   - observation.go: what is decided from
//   - policy.go: the thresholds
//   - decide.go: the rules
//   - reading.go: what one poll shows
//   - shares.go, baseline.go: what is counted and learned of a miner that hashes
//   - watch.go: what is remembered from poll to poll
//   - decision.go, evidence.go: what is decided, and in which words
//   - process.go: the host's row
//
// How to add a cause is in the package comment of daemon.
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
