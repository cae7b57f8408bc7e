package main

import (
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
)

func TestCheck(t *testing.T) {
	h := newHost(t)
	h.Says("never-connected", "")
	out, _, err := h.command("check")
	const want = `{"ok":true,"xmrig_version":"6.26.0","hashrate":[0,0,0],"pool_connected":false,"uptime":14}` + "\n"
	if out != want || err != nil {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
}

// check itself uses the real clock: it must wait and must give up.
func TestCheckWaits(t *testing.T) {
	h := newHost(t)
	m := h.main(time.Now)

	begin := time.Now()
	err := m.Run(t.Context(), []string{"check", "--wait", "1200ms", "--settings", h.SettingsFile()})
	want := "miner api " + h.Settings.API.Address + ": truncated answer: no end of its header"
	if err == nil || err.Error() != want || exitCode(err) != 1 {
		t.Errorf("error is %v, want %s", err, want)
	}
	if took := time.Since(begin); took < 1200*time.Millisecond-pause {
		t.Errorf("gave up after %v", took)
	}
	if n := h.Asked(); n > 3 {
		t.Errorf("asked %d times, want 3 at most", n)
	}

	before := h.Asked()
	go func() {
		for h.Asked() == before {
			time.Sleep(5 * time.Millisecond)
		}
		h.Says("pool-lost", "")
	}()
	if err := m.Run(t.Context(), []string{"check", "--wait", hosttest.Patience.String(), "--settings", h.SettingsFile()}); err != nil {
		t.Errorf("with an answer in time: %v", err)
	}
}

func TestCheckFails(t *testing.T) {
	h := newHost(t)
	out, _, err := h.command("check")
	want := `{"ok":false,"error":"miner api ` + h.Settings.API.Address +
		`: truncated answer: no end of its header","hashrate":[null,null,null],"pool_connected":false,"uptime":0}` + "\n"
	if out != want || err == nil {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
}

// check is for the miner of the unit, not for whoever answers.
func TestCheckForeign(t *testing.T) {
	h := newHashingHost(t)
	h.Held(20, "/opt/old/xmrig")
	out, _, err := h.command("check")
	problem := h.Settings.API.Address + " is answered by another process (pid 20, /opt/old/xmrig); to end it: kill 20"
	want := `{"ok":false,"error":"` + problem + `","hashrate":[null,null,null],"pool_connected":false,"uptime":0}` + "\n"
	if out != want || err == nil || err.Error() != problem {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
	h.Held(10, "/usr/local/bin/xmrig")
	if out, _, err := h.command("check"); !strings.HasPrefix(out, `{"ok":true,`) || err != nil {
		t.Errorf("its own: %s, %v", out, err)
	}
	h.Ends("inactive", "dead", "success", 1, 0, 0)
	if out, _, err := h.command("check"); err == nil {
		t.Errorf("of a unit that does not run: %s", out)
	}
	h.Held(0, "")
	h.HangUp()
	_, _, err = h.command("check")
	if want := "miner api " + h.Settings.API.Address + ": truncated answer: no end of its header"; err == nil || err.Error() != want {
		t.Errorf("nobody: %v, want %s", err, want)
	}
}
