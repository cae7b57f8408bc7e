package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/cpu"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// Observe asks the miner, systemd and the kernel once. It changes nothing. Errors
// are part of the Observation.
//
// The miner is asked first: if its process ends meanwhile, systemd then says
// so, and the miner is not mistaken for one whose API is dead.
func (h *Host) Observe(ctx context.Context, s agent.Settings) health.Observation {
	o := health.Observation{At: h.Now().UTC(), Desired: s.Desired}
	begun := time.Now()
	api := client(s)
	o.Summary, o.APIErr = api.Summary(ctx)
	if o.Summary != nil {
		o.Backends, _ = api.Backends(ctx) // optional: it only refines the summary
	}
	o.Unit, o.UnitErr = systemd.Show(ctx, agent.MinerUnit)
	if o.Unit.PID != 0 {
		o.CPU, o.CPUErr = cpu.Time(h.Proc, o.Unit.PID)
		// Where the port's owner is not known, it is taken to be the miner.
		o.Foreign, _ = h.foreign(s.API.Address, o.Unit.PID)
	}
	switch {
	case o.Foreign != nil:
		o.Summary, o.Backends, o.APIErr = nil, nil, foreignError(s, o.Foreign)
	case o.Summary != nil && o.Unit.PID != 0 && o.Unit.Age < time.Since(begun):
		o.Summary, o.Backends, o.APIErr = nil, nil, errAnotherProcess
	}
	o.Revision = h.revision()
	// Neither fails on Linux. Without them each poll would be decided as if
	// it was the first one.
	o.Since, _ = h.SinceBoot()
	o.BootID, _ = systemd.BootID()
	return o
}

// errAnotherProcess is the error of an answer that may be of the process before.
var errAnotherProcess = errors.New("the miner was started while it answered")

// Summary asks the miner's API once. An answer that another process gave is an
// error, which says how to get rid of that process.
func (h *Host) Summary(ctx context.Context, s agent.Settings) (*miner.Summary, error) {
	summary, err := client(s).Summary(ctx)
	unit, unitErr := systemd.Show(ctx, agent.MinerUnit)
	if unitErr != nil {
		return summary, err
	}
	if by, _ := h.foreign(s.API.Address, unit.PID); by != nil {
		return nil, fmt.Errorf("%w; %s", foreignError(s, by), by.Remedy())
	}
	return summary, err
}

func client(s agent.Settings) miner.Client {
	return miner.Client{Address: s.API.Address, Token: s.API.Token}
}

// foreignError is the error of an API whose port another process has.
func foreignError(s agent.Settings, by *port.Owner) error {
	return fmt.Errorf("%s is answered by another process (%v)", s.API.Address, by)
}

// revision names the binary and the configuration that the miner was started
// with, "" where that is not known. Its unit keeps a record of them: a line for
// the unit, one for the configuration and one for the binary, the last two
// beginning with a checksum.
func (h *Host) revision() string {
	b, err := os.ReadFile(filepath.Join(h.RunDir, agent.MinerUnit))
	if err != nil {
		return ""
	}
	var sums []string
	for i, line := range strings.Split(string(b), "\n") {
		if sum, _, _ := strings.Cut(line, " "); (i == 1 || i == 2) && len(sum) == 64 {
			sums = append(sums, sum[:16])
		}
	}
	return strings.Join(sums, " ")
}
