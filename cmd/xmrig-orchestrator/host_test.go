package main

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/daemon"
	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
	"xmrfleet/modules/agent"
)

// A host is one on which the program runs.
type host struct {
	*hosttest.Host
	now time.Time // of its commands, not of its daemon
}

func newHost(t testing.TB) *host {
	t.Helper()
	return &host{hosttest.New(t), time.Now()}
}

// newHashingHost is a host whose miner is healthy.
func newHashingHost(t *testing.T) *host {
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	return h
}

// main is the program on this host.
func (h *host) main(now func() time.Time) *Main {
	return &Main{
		Stdout:  io.Discard,
		Stderr:  io.Discard,
		Host:    daemon.Host{Now: now, SinceBoot: h.SinceBoot, Own: h.Own(), RunDir: h.RunDir(), Proc: h.Proc(), MinerConfig: h.MinerConfig()},
		Backoff: 50 * time.Millisecond,
	}
}

// command runs one of the program's commands.
func (h *host) command(args ...string) (stdout, stderr string, err error) {
	h.T.Helper()
	var out, errs bytes.Buffer
	m := h.main(func() time.Time { return h.now })
	m.Stdout, m.Stderr = &out, &errs
	err = m.Run(h.T.Context(), append(args, "--settings", h.SettingsFile()))
	return out.String(), errs.String(), err
}

// start runs the daemon, on its own database or on that of another program,
// until stop.
func (h *host) start(own bool) (log *hosttest.Journal, stop func()) {
	h.T.Helper()
	h.OwnDatabase = own
	return h.Start(func(ctx context.Context, log io.Writer) error {
		m := h.main(time.Now)
		m.Stderr = log
		return m.Run(ctx, []string{"run", "--settings", h.SettingsFile()})
	})
}

// seldom is an interval in which no test's host is polled twice.
const seldom = agent.Duration(time.Hour)
