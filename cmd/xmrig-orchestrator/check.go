package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/modules/agent"
)

// pause is the time between two requests of check.
const pause = 500 * time.Millisecond

// check asks the miner's API until it answers or wait is over, at least once, and
// prints the answer. Any answer of the miner will do: it has no hashrate for a
// while after its start, and none without a pool.
func (m *Main) check(ctx context.Context, s agent.Settings, wait time.Duration) error {
	end := m.Now().Add(wait)
	summary, err := m.Summary(ctx, s)
	for err != nil && m.Now().Add(pause).Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		summary, err = m.Summary(ctx, s)
	}
	var answer agent.Check
	if err != nil {
		answer.Error = err.Error()
	} else {
		answer = answerOf(summary)
	}
	return errors.Join(err, json.NewEncoder(m.Stdout).Encode(answer))
}

func answerOf(s *miner.Summary) agent.Check {
	return agent.Check{
		OK:            true,
		XMRigVersion:  s.Version,
		Hashrate:      s.Hashrate.Total,
		Pool:          s.Connection.Pool,
		PoolConnected: s.Connected(),
		Uptime:        s.Uptime,
	}
}
