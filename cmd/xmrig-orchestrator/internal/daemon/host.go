package daemon

import (
	"context"
	"path/filepath"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// A Host is the machine that the agent runs on, as far as a test may replace
// it. The daemon and the commands share it. It is for one goroutine.
type Host struct {
	Now func() time.Time

	// SinceBoot is the monotonic clock, by which the agent decides.
	SinceBoot func() (time.Duration, error)

	// Own is the path of the database that is the agent's alone. Any other
	// one belongs to another program.
	Own string

	// RunDir holds the host's lock and the agent's, the socket that wakes the
	// agent, what it says of itself, and the records of what each unit was
	// started with.
	RunDir string

	// MinerConfig is the path of the miner's configuration file.
	MinerConfig string

	// Proc is where proc(5) is mounted.
	Proc string

	ports port.Lookup
}

// WakeSocket is the path of the socket by which a command wakes the agent.
func (h *Host) WakeSocket() string { return filepath.Join(h.RunDir, "wake") }

// daemonFile is the path of the file in which the agent tells of itself.
func (h *Host) daemonFile() string { return filepath.Join(h.RunDir, filepath.Base(agent.DaemonFile)) }

// Open opens a database to read it and write to it. The agent's own is made
// where it is missing; one of another program must exist.
func (h *Host) Open(ctx context.Context, path string) (*store.Store, error) {
	if path == h.Own {
		return store.OpenOwn(ctx, path)
	}
	return store.Open(ctx, path)
}

// foreign returns the process that has the port of an address in place of the
// process pid, as port.Lookup.Foreign does.
func (h *Host) foreign(address string, pid int) (*port.Owner, error) {
	h.ports.Proc = h.Proc
	return h.ports.Foreign(address, pid)
}
