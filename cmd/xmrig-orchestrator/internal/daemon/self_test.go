package daemon

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// told waits until the agent has said of itself what is wanted.
func (h *host) told(what string, want func(agent.Daemon) bool) (self agent.Daemon) {
	h.T.Helper()
	h.Until(func() bool {
		if got := h.config(io.Discard).Daemon(); got != nil {
			self = *got
		}
		return want(self)
	}, func() string { return what + ": the agent says of itself " + strings.Join(self.Faults, "; ") })
	return self
}

// The agent says of itself, after each poll, who it is, which process of the
// miner it has seen, and what it made of that.
func TestSelf(t *testing.T) {
	h := newHashingHost(t)
	t.Setenv("INVOCATION_ID", "00112233445566778899aabbccddeeff")
	before := time.Now()
	_, stop := h.start(true)
	got := h.told("first", func(d agent.Daemon) bool { return d.PID != 0 })
	if got.CheckedAt.Before(before) || got.CheckedAt.After(time.Now()) {
		t.Errorf("it was checked at %v", got.CheckedAt)
	}
	want := agent.Daemon{Version: "0.1.0", InvocationID: "00112233445566778899aabbccddeeff", PID: os.Getpid(),
		CheckedAt: got.CheckedAt, Miner: "00000000000000000000000000000010", Decision: got.Decision}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it says %+v\nwant    %+v", got, want)
	}
	if got.Decision == nil || got.Decision.State != "running" || got.Decision.Cause != "healthy" {
		t.Errorf("it decided %+v", got.Decision)
	}
	h.Says("pool-lost", "")
	h.told("held", func(d agent.Daemon) bool { return strings.Contains(d.Decision.Evidence, " polls, ") })
	h.Runs(11, 0)
	h.told("another process", func(d agent.Daemon) bool { return d.Miner == "00000000000000000000000000000011" })
	h.Write("unit", "")
	if got := h.told("not known", func(d agent.Daemon) bool { return strings.Contains(d.Decision.Evidence, "no ActiveState") }); got.Miner != "00000000000000000000000000000011" {
		t.Errorf("while systemd cannot be asked, the miner is %q", got.Miner)
	}
	h.Ends("inactive", "dead", "success", 1, 0, 0)
	h.told("stopped", func(d agent.Daemon) bool { return d.Miner == "" && d.Decision.State == "stopped" })
	stop()
	names, err := filepath.Glob(filepath.Join(h.RunDir(), "agent.json*"))
	if err != nil || len(names) != 1 {
		t.Errorf("it left %v, %v", names, err)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Mode() != 0o644 {
		t.Errorf("its file is %v, %v", info, err)
	}
}

// What is not understood is not there.
func TestSelfNotUnderstood(t *testing.T) {
	h := newHost(t)
	for _, text := range []string{"", "{", "{}", `{"checked_at": "soon"}`, `{"checked_at": 1}`} {
		h.Write("run/agent.json", text)
		if got := h.config(io.Discard).Daemon(); got != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// A second agent is refused while the first one lives, and takes nothing of it.
func TestSecondAgent(t *testing.T) {
	h := newHashingHost(t)
	h.Settings.Interval = seldom
	h.Configure()
	_, stop := h.start(true)
	first := h.told("first", func(d agent.Daemon) bool { return d.PID != 0 })
	for range 2 {
		err := Run(t.Context(), h.config(t.Output()))
		const want = "run: another xmrig-orchestrator runs on this host: see systemctl status xmrig-orchestrator.service"
		if err == nil || err.Error() != want {
			t.Fatalf("the second one: %v, want %s", err, want)
		}
	}
	h.mustEnqueue("restart", "x") // which rings
	if got := h.Ending(1); got != "restart|completed|" {
		t.Error(got)
	}
	if again := h.told("still", func(d agent.Daemon) bool { return d.PID != 0 }); again.CheckedAt.Before(first.CheckedAt) {
		t.Errorf("its file is %+v", again)
	}
	stop()
	_, stop = h.start(true)
	h.AwaitPoll("the next one")
	stop()
}
