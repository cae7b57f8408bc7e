package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xmrfleet/cmd/xmrig-orchestrator/internal/cpu"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// observe asks the miner first: one that ends before systemd is asked is then
// known to have ended, and not taken for one whose API is dead.
func (m *Main) observe(ctx context.Context, s agent.Settings) health.Observation {
	o := health.Observation{At: m.Now().UTC(), Desired: s.Desired}
	api := client(s)
	o.Summary, o.APIErr = api.Summary(ctx)
	if o.Summary != nil {
		o.Backends, _ = api.Backends(ctx) // which only refines what the summary says
	}
	o.Unit, o.UnitErr = systemd.Show(ctx, agent.MinerUnit)
	if o.Unit.PID != 0 {
		o.CPU, o.CPUErr = cpu.Time(o.Unit.PID)
	}
	if o.Unit.PID != 0 {
		o.Foreign, _ = m.Ports.Foreign(s.API.Address, o.Unit.PID) // not known: as if it was the miner's own
	}
	if o.Foreign != nil {
		o.Summary, o.Backends, o.APIErr = nil, nil, taken(s, o.Foreign)
	}
	o.Revision = m.revision()
	// Neither fails on Linux; without them, the agent would have no memory.
	o.Since, _ = systemd.SinceBoot()
	o.BootID, _ = systemd.BootID()
	return o
}

func client(s agent.Settings) miner.Client {
	return miner.Client{Address: s.API.Address, Token: s.API.Token}
}

// taken is the error of an API whose port another process has.
func taken(s agent.Settings, by *port.Owner) error {
	return fmt.Errorf("%s is answered by another process (%v)", s.API.Address, by)
}

// revision names what the miner was started with, from the record that its
// unit keeps: a line for the unit, one for the configuration and one for the
// binary, the last two with a checksum first. It is "" where there is none.
func (m *Main) revision() string {
	b, err := os.ReadFile(filepath.Join(m.RunDir, agent.MinerUnit))
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
