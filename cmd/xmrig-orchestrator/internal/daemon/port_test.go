package daemon

import (
	"strings"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// Another XMRig on the API's port answers as the miner would. Its answers are not
// used, and nothing is restarted because of it.
func TestForeign(t *testing.T) {
	for _, policy := range []string{"evidence", "immediate"} {
		t.Run(policy, func(t *testing.T) {
			h := newHashingHost(t)
			h.Settings.RestartPolicy = policy
			h.Configure()
			h.Held(20, "/home/a/xmrig")
			log, _ := h.start(true)
			problem := h.Settings.API.Address + " is answered by another process (pid 20, /home/a/xmrig); to end it: kill 20"
			p := h.Await("foreign", func(p health.Process) bool { return p.State == "unhealthy" })
			if p.LastError != problem || p.Hashrate != nil || p.Snapshot != nil || p.PID != 10 {
				t.Errorf("the row is %+v", p)
			}
			h.Polled("foreign")
			h.Polled("foreign still")
			if got := h.Calls(); got != "" {
				t.Errorf("systemctl was told %s", got)
			}
			evidence := strings.Replace(problem, "; to end it: kill 20", " in 1 poll", 1)
			if d := h.AwaitDecision(health.CausePortTaken); !strings.HasPrefix(d.Evidence, evidence) {
				t.Errorf("the decision is %+v", d)
			}
			h.Held(10, "/usr/local/bin/xmrig")
			h.Await("ended", func(p health.Process) bool { return p.State == "running" && p.Hashrate != nil })
			if n := strings.Count(log.String(), "msg=\"miner unhealthy\" cause=port-taken"); n != 1 {
				t.Errorf("%d lines of it in the log:\n%s", n, log)
			}
		})
	}
}
