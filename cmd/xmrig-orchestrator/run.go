package main

import (
	"context"

	"xmrfleet/cmd/xmrig-orchestrator/internal/daemon"
	"xmrfleet/modules/agent"
)

// run polls the miner until ctx is done.
func (m *Main) run(ctx context.Context, s agent.Settings) error {
	return daemon.Run(ctx, daemon.Config{
		Host: &m.Host, Settings: s, Version: agent.Version, Log: m.Stderr, Backoff: m.Backoff})
}
