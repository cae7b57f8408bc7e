package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/modules/agent"
)

// pause is between two questions of check.
const pause = 500 * time.Millisecond

// check asks the miner's API until it answers or wait is over, and prints
// what it said. It asks at least once. That the API answers is all that
// counts: a miner has no hashrate for a while after its start, nor without a
// pool.
func (m *Main) check(ctx context.Context, s agent.Settings, wait time.Duration) error {
	end := m.Now().Add(wait)
	summary, err := client(s).Summary(ctx)
	for err != nil && m.Now().Add(pause).Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		summary, err = client(s).Summary(ctx)
	}
	var answer agent.Check
	if err != nil {
		answer.Error = err.Error()
	} else {
		answer = checked(summary)
	}
	return errors.Join(err, json.NewEncoder(m.Stdout).Encode(answer))
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
