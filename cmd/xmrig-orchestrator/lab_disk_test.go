//go:build lab

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// status is what the host tells of itself.
func (r *rig) status() (s agent.Status) {
	r.t.Helper()
	text := r.sh(`xmrig-orchestrator status --json || :`)
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		r.t.Fatalf("%v: %s", err, text)
	}
	return s
}

// A full disk below the agent's own database: the miner is still looked after,
// and what happens meanwhile is counted as soon as there is space.
func TestLabDiskFull(t *testing.T) {
	r := newRig(t, "")
	r.sh(`systemctl stop xmrig-orchestrator`)
	if err := r.lab.Host(name).MountTmpfs(t.Context(), agent.StateDir, 1<<20); err != nil {
		t.Fatal(err)
	}
	// It starts without any space as well.
	r.sh(`! cat /dev/zero >"$1/ballast" 2>/dev/null; systemctl start xmrig-orchestrator`, agent.StateDir)
	const logged = `journalctl --namespace=xmrig --sync; journalctl -q --namespace=xmrig -u xmrig-orchestrator -o cat | grep -F "$1"`
	r.until(logged, "disk is full")
	r.sh(`rm "$1/ballast"`, agent.StateDir)
	r.until(logged, "database works again")
	r.caused("running", "healthy")
	pid := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`)

	r.sh(`! cat /dev/zero >"$1/ballast" 2>/dev/null`, agent.StateDir)
	for _, restarts := range []string{"1", "2"} {
		r.sh(`systemctl kill -s KILL xmrig`)
		r.until(`[ "$(systemctl show -p NRestarts --value xmrig)" = "$1" ] && systemctl is-active xmrig`, restarts)
	}
	// Without its queue, the agent acts all the same. systemd forgets its own
	// restarts over that, the agent does not.
	before := r.sh(`systemctl show -p MainPID --value xmrig`)
	r.healedByRestart("busy=0.2 threads=4")
	r.control("busy=0.2 threads=4 state=thread-dead")
	r.until(`now=$(systemctl show -p MainPID --value xmrig); [ "$now" != 0 ] && [ "$now" != "$1" ]`, strings.TrimSpace(before))
	t.Logf("the agent says:\n%s", r.until(logged, "disk is full"))
	full := r.status()
	t.Logf("while the disk is full, the status says: %s, %d restarts, %s", full.State, full.RestartCount, full.LastError)

	r.sh(`rm "$1/ballast"`, agent.StateDir)
	begin := time.Now()
	r.until(`xmrig-orchestrator status --json | grep -F '"restart_count":3,'`)
	s := r.status()
	t.Logf("counted after %v: %d restarts, %d errors, last %q", time.Since(begin).Round(time.Second), s.RestartCount, s.ErrorCount, s.LastError)
	r.sh(`xmrig-orchestrator enqueue restart --reason "space again" --wait=5m`)
	r.caused("running", "healthy")
	s = r.status()
	if s.RestartCount != 3 {
		t.Errorf("%d restarts are counted after a command, 2 by systemd and 1 by the agent happened\n%s", s.RestartCount, r.story())
	}
	if got := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`); got != pid {
		t.Errorf("the agent is another one: %s, %s", pid, got)
	}
	r.sh(`systemctl stop xmrig-orchestrator; cp -a "$1" /var/tmp/copy`, agent.StateDir)
	r.path = "/var/tmp/copy/orchestrator.sqlite3"
	if got := r.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
	if got := r.commands(); got != "restart|completed|space again\n" {
		t.Errorf("commands: %s", got)
	}
}
