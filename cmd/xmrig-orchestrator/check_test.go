package main

import (
	"path/filepath"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	h := newHost(t)
	h.says("never-connected", "")
	out, err := run(t, "check", "--settings", filepath.Join(h.dir, "orchestrator.json"))
	const want = `{"ok":true,"xmrig_version":"6.26.0","hashrate":[0,0,0],"pool_connected":false,"uptime":14}` + "\n"
	if out != want || err != nil {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
}

// check itself uses the real clock: it must wait and must give up.
func TestCheckWaits(t *testing.T) {
	h := newHost(t)
	settings := filepath.Join(h.dir, "orchestrator.json")
	m := NewMain()
	m.Stdout, m.Stderr = t.Output(), t.Output()

	begin := time.Now()
	err := m.Run(t.Context(), []string{"check", "--wait", "1200ms", "--settings", settings})
	want := "miner api " + h.settings.API.Address + ": truncated answer: no end of its header"
	if err == nil || err.Error() != want || exitCode(err) != 1 {
		t.Errorf("error is %v, want %s", err, want)
	}
	if took := time.Since(begin); took < 1200*time.Millisecond-pause {
		t.Errorf("gave up after %v", took)
	}
	if n := h.asked.Load(); n > 3 {
		t.Errorf("asked %d times, want 3 at most", n)
	}

	time.AfterFunc(300*time.Millisecond, func() { h.says("pool-lost", "") })
	if err := m.Run(t.Context(), []string{"check", "--wait", patient.String(), "--settings", settings}); err != nil {
		t.Errorf("with an answer in time: %v", err)
	}
}

func TestCheckFails(t *testing.T) {
	h := newHost(t)
	out, err := run(t, "check", "--settings", filepath.Join(h.dir, "orchestrator.json"))
	want := `{"ok":false,"error":"miner api ` + h.settings.API.Address +
		`: truncated answer: no end of its header","hashrate":[null,null,null],"pool_connected":false,"uptime":0}` + "\n"
	if out != want || err == nil {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
}
