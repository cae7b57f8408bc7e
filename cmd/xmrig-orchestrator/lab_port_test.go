//go:build lab

package main

import (
	"strings"
	"testing"
)

// Another miner that has the API's port, started by hand or left from an older
// installation, is told from the unit's own by its process. No restart helps
// while it is there; one does when it has gone.
func TestLabForeign(t *testing.T) {
	r := newRig(t, "")
	r.control("busy=0.2 threads=4") // enough to be seen to work on a busy machine
	for restarts, foreign := range []struct{ start, end, name string }{
		{`setsid /usr/local/bin/xmrig --config=/run/other.json >/dev/null 2>&1 & echo $! >/run/other.pid`, `kill "$(cat /run/other.pid)"`, "kill "},
		{`systemd-run -q --unit=old-miner --uid=xmrig /usr/local/bin/xmrig --config=/etc/xmrig/config.json`, `systemctl stop old-miner`, "systemctl disable --now old-miner.service"},
	} {
		r.sh(`systemctl stop xmrig; cp /etc/xmrig/config.json /run/other.json; ` + foreign.start)
		r.until(`grep -q ":1F90 .* 0A " /proc/net/tcp`)
		r.sh(`systemctl start xmrig`)
		r.caused("unhealthy", "port-taken")
		r.polls(12) // longer than api_dead
		p := r.row()
		if !strings.HasPrefix(p.LastError, "127.0.0.1:8080 is answered by another process (pid ") || !strings.Contains(p.LastError, "to end it: "+foreign.name) || p.Hashrate != nil {
			t.Errorf("the row is %+v", p)
		}
		if got := r.sh(`xmrig-orchestrator check && exit 1; :`); !strings.Contains(got, `"error":"127.0.0.1:8080 is answered by another process`) {
			t.Errorf("check: %s", got)
		}
		r.sh(foreign.end)
		r.restarted(restarts + 1)
		r.caused("running", "healthy")
		r.sh(`xmrig-orchestrator check`)
	}
	if got := r.commands(); got != strings.Repeat("restart|completed|xmrig-orchestrator: api-dead\n", 2) {
		t.Errorf("commands: %s", got)
	}
}
