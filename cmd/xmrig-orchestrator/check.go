package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// pause is between two questions of check.
const pause = 500 * time.Millisecond

// check asks the miner's API until it answers or wait is over, and prints
// what it said. It asks at least once. That the miner's own API answers is all
// that counts: a miner has no hashrate for a while after its start, nor without
// a pool.
func (m *Main) check(ctx context.Context, s agent.Settings, wait time.Duration) error {
	end := m.Now().Add(wait)
	summary, err := m.ask(ctx, s)
	for err != nil && m.Now().Add(pause).Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		summary, err = m.ask(ctx, s)
	}
	var answer agent.Check
	if err != nil {
		answer.Error = err.Error()
	} else {
		answer = checked(summary)
	}
	return errors.Join(err, json.NewEncoder(m.Stdout).Encode(answer))
}

// ask takes an answer for the miner's only if the miner gave it.
func (m *Main) ask(ctx context.Context, s agent.Settings) (*miner.Summary, error) {
	summary, err := client(s).Summary(ctx)
	unit, unitErr := systemd.Show(ctx, agent.MinerUnit)
	if unitErr != nil {
		return summary, err
	}
	if by, _ := m.Ports.Foreign(s.API.Address, unit.PID); by != nil {
		return nil, fmt.Errorf("%w; %s", taken(s, by), by.Remedy())
	}
	return summary, err
}

func checked(s *miner.Summary) agent.Check {
	return agent.Check{
		OK:            true,
		XMRigVersion:  s.Version,
		Hashrate:      s.Hashrate.Total,
		Pool:          s.Connection.Pool,
		PoolConnected: s.Connected(),
		Uptime:        s.Uptime,
	}
}
