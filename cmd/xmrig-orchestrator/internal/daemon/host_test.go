package daemon

import (
	"context"
	"io"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake"
	"xmrfleet/modules/agent"
)

// A host is one on which daemons run.
type host struct{ *hosttest.Host }

func newHost(t *testing.T) *host { return &host{hosttest.New(t)} }

// newHashingHost is a host whose miner is healthy.
func newHashingHost(t *testing.T) *host {
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	return h
}

// config is that of a daemon on this host.
func (h *host) config(log io.Writer) Config {
	return Config{
		Host:     &Host{Now: time.Now, SinceBoot: h.SinceBoot, Own: h.Own(), RunDir: h.RunDir(), Proc: h.Proc(), MinerConfig: h.MinerConfig()},
		Settings: h.settings(), Version: "0.1.0", Log: log, Backoff: 50 * time.Millisecond,
	}
}

// settings are those of the host, with the defaults that a settings file has.
func (h *host) settings() agent.Settings {
	s := h.Settings
	if s.RestartPolicy == "" {
		s.RestartPolicy = "evidence"
	}
	if s.Desired == "" {
		s.Desired = agent.Running
	}
	return s
}

// start runs a daemon, on its own database or on that of another program, until
// stop.
func (h *host) start(own bool) (log *hosttest.Journal, stop func()) {
	h.T.Helper()
	h.OwnDatabase = own
	return h.Start(func(ctx context.Context, log io.Writer) error { return Run(ctx, h.config(log)) })
}

// enqueue puts a person's command into the queue and wakes the daemon.
func (h *host) enqueue(action, reason string) error {
	h.T.Helper()
	host := h.config(io.Discard).Host
	db, err := host.Open(h.T.Context(), h.Settings.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Enqueue(h.T.Context(), h.Settings.Hostname, action, reason, time.Now()); err != nil {
		return err
	}
	if err := wake.Ring(host.WakeSocket()); err != nil {
		h.T.Errorf("the daemon does not listen: %v", err)
	}
	return nil
}

// mustEnqueue is enqueue where nothing is in its way.
func (h *host) mustEnqueue(action, reason string) {
	h.T.Helper()
	if err := h.enqueue(action, reason); err != nil {
		h.T.Fatal(err)
	}
}
