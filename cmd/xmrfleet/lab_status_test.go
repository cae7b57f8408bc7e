//go:build lab

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// simulate tells the simulator on a host what to go through.
func (f *fleet) simulate(host, words string) {
	f.t.Helper()
	f.sh(host, `mkdir -p /run/xmrig-sim; printf '%s\n' "$1" >/run/xmrig-sim/control`, words)
}

// awaitState waits until the agent of a host records a state and a cause.
func (f *fleet) awaitState(host, state, cause string) {
	f.t.Helper()
	f.until(host, `xmrig-orchestrator status --json | grep '"state":"`+state+`".*"cause":"`+cause+`"'`)
}

// TestStatusWhy follows a miner through what can happen to it, and reads what
// its agent saw.
func TestStatusWhy(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}
host "mini-2" {}
`, "mini-1", "mini-2")
	for _, host := range []string{"mini-1", "mini-2"} {
		f.simulate(host, "speed=20 busy=0.2")
	}
	f.apply()
	for _, host := range []string{"mini-1", "mini-2"} {
		f.until(host, `xmrig-orchestrator status`) // it has looked once
	}
	f.mustRun(exitDone, "status") // though the miners have hardly begun
	f.awaitState("mini-1", "running", "healthy")
	f.awaitState("mini-2", "running", "healthy")
	o := f.mustRun(exitDone, "status", "--why", "mini-1")
	contains(t, o.stdout, "  ✓ mini-1  running, healthy for ", ", since 20", "      seen        ", " H/s, pool pool-a.example:443",
		"  running, healthy: ", "Fleet: ", "1 of 1 host healthy, 1 as described")
	if strings.Contains(o.stdout, "mini-2") {
		t.Errorf("mini-2 was not asked for:\n%s", o.stdout)
	}

	f.simulate("mini-1", "speed=20 busy=0.2 state=pool-down")
	f.awaitState("mini-1", "unhealthy", "pool-down")
	o = f.mustRun(exitPartial, "status", "--why")
	contains(t, o.stdout, "  ! mini-1  unhealthy, pool-down for ", "      wanted      running\n", "pool pool-a.example:443, not connected\n",
		"      last error  pool pool-a.example:443: not connected", "  unhealthy, pool-down: ", "  ✓ mini-2  running, healthy for ")
	o = f.mustRun(exitPartial, "status", "--why", "--json", "mini-1")
	var why struct {
		State, Type string
		Agent       struct {
			Cause, Evidence string
			Since           time.Time
		}
		Events []struct {
			At       time.Time
			Decision *struct{ State, Cause, Evidence string }
		}
		Units []struct {
			Name    string
			Active  string `json:"active_state"`
			Journal []string
		}
	}
	line := strings.Split(o.stdout, "\n")[1]
	if err := json.Unmarshal([]byte(line), &why); err != nil {
		t.Fatal(err)
	}
	last := why.Events[len(why.Events)-1]
	if why.Type != "host_why" || why.State != "unhealthy" || why.Agent.Cause != "pool-down" || !strings.Contains(why.Agent.Evidence, "not connected") ||
		last.Decision == nil || last.Decision.Cause != "pool-down" || !last.At.Equal(why.Agent.Since) ||
		len(why.Units) != 2 || why.Units[0].Name != "xmrig.service" || why.Units[0].Active != "active" || len(why.Units[0].Journal) == 0 {
		t.Errorf("why: %s", line)
	}

	f.simulate("mini-1", "speed=20 busy=0 state=wedged")
	f.awaitState("mini-1", "unhealthy", "wedged")
	contains(t, f.mustRun(exitPartial, "status", "--why", "mini-1").stdout, "  ! mini-1  unhealthy, wedged for ", " cores in use; pool pool-a.example:443, connected for ")
	f.simulate("mini-1", "speed=20 busy=0.2")
	f.awaitState("mini-1", "running", "healthy")
	f.mustRun(exitDone, "status")
}

// TestStatusWithoutAgent falls back to what systemd and the journal know.
func TestStatusWithoutAgent(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.simulate("mini-1", "speed=20 busy=0.2")
	f.apply()
	f.awaitState("mini-1", "running", "healthy")

	// By the host's clock, the last check is nearly seven minutes ago.
	f.sh("mini-1", `printf '#!/bin/sh\nexec /bin/date -d "+400 seconds" "$@"\n' >/usr/local/sbin/date; chmod +x /usr/local/sbin/date`)
	contains(t, f.mustRun(exitPartial, "status").stdout, "mini-1  running", "  6m ", "stale: no health check for 6m; state from systemd", "0 of 1 host healthy, 0 as described")
	contains(t, f.mustRun(exitPartial, "status", "--json").stdout, `"as_desired":false,"healthy":false,"stale":true,"check_age_s":`)
	f.sh("mini-1", `sed -i s/400/200/ /usr/local/sbin/date`)
	contains(t, f.mustRun(exitDone, "status").stdout, "mini-1  running", "  3m", "0 of 1 host healthy, 1 as described")
	f.sh("mini-1", `rm /usr/local/sbin/date`)

	f.sh("mini-1", `systemctl stop xmrig-orchestrator`)
	contains(t, f.mustRun(exitPartial, "status").stdout, "mini-1  running", "the agent is down; state from systemd")
	contains(t, f.mustRun(exitPartial, "status", "--why").stdout, "  ! mini-1  running: the agent is down; state from systemd\n",
		"      xmrig.service  active (running) since ", " mini-1 xmrig[", "  accepted (",
		"      xmrig-orchestrator.service  inactive (dead) since ")
	f.sh("mini-1", `systemctl kill -s KILL xmrig; rm /usr/local/bin/xmrig-orchestrator`)
	o := f.mustRun(exitPartial, "status", "--why")
	contains(t, o.stdout, "no agent; state from systemd; the binary xmrig-orchestrator differs from fleet.hcl", "      xmrig.service  ", "Main process exited, code=killed, status=9/KILL")
	f.apply()
	f.awaitState("mini-1", "running", "healthy")

	// A command that fails is told for an hour, though the miner runs again.
	f.sh("mini-1", `mkdir -p /run/systemd/system/xmrig.service.d
		printf '[Service]\nExecStartPre=/bin/false\n' >/run/systemd/system/xmrig.service.d/bad.conf; systemctl daemon-reload`)
	f.mustRun(exitError, "restart", "-l", "mini-1", "--reason", "a test")
	f.sh("mini-1", `rm -r /run/systemd/system/xmrig.service.d; systemctl daemon-reload`)
	f.mustRun(exitDone, "start", "-l", "mini-1")
	f.awaitState("mini-1", "running", "healthy")
	contains(t, f.mustRun(exitDone, "status").stdout, "mini-1  running", "  1 command failed within the last hour\n", "1 as described, 1 command failed within the last hour.")
	contains(t, f.mustRun(exitDone, "status", "--why").stdout, "      commands    1 command failed within the last hour\n", "  restart failed (a test (")
	contains(t, f.mustRun(exitDone, "status", "--json").stdout, `"failed_commands":1,"took_ms"`)
}

// TestStatusDrift changes on hosts what fleet.hcl describes, and looks whether a
// status says so.
func TestStatusDrift(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}
host "mini-2" {}
`, "mini-1", "mini-2")
	f.apply()
	for _, host := range []string{"mini-1", "mini-2"} {
		f.awaitState(host, "running", "healthy")
	}
	contains(t, f.mustRun(exitDone, "status").stdout, "2 as described")

	const hijack = `
		sed -i 's/pool-a.example:443/evil.example:3333/; s/"user": ".*"/"user": "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"/' /etc/xmrig/config.json`
	f.sh("mini-1", hijack)
	o := f.mustRun(exitPartial, "status")
	contains(t, o.stdout, "config.json differs from fleet.hcl", "FOR SOMEBODY ELSE: mini-1: its config.json names another pool or account than fleet.hcl",
		"1 as described, 1 for somebody else")

	f.sh("mini-1", `systemctl restart xmrig`)
	f.until("mini-1", `xmrig-orchestrator status --json | grep '"state":"running".*"pool":"evil.example:3333"'`)
	o = f.mustRun(exitPartial, "status")
	contains(t, o.stdout, "FOR SOMEBODY ELSE: mini-1: it mines at evil.example:3333, which fleet.hcl does not name")
	contains(t, f.mustRun(exitPartial, "status", "--why", "mini-1").stdout, "astray      it mines at evil.example:3333")
	contains(t, f.mustRun(exitPartial, "status", "--json").stdout, `"as_desired":false,"astray":"it mines at evil.example:3333`,
		`"drift":["config.json differs from fleet.hcl"]`, `"astray":1`)
	contains(t, f.mustRun(exitPartial, "status", "--format", "github").stdout, "::error", "title=mini-1::running: it mines at evil.example:3333")

	f.mustRun(exitDone, "apply", "--yes")
	f.awaitState("mini-1", "running", "healthy")
	f.mustRun(exitDone, "status")

	for what, test := range map[string][2]string{
		"the link":         {`cp -p /usr/local/bin/xmrig /opt/other; ln -sfn /opt/other /usr/local/bin/xmrig; echo >>/opt/other; touch -d 2001-01-01 /opt/other`, "the binary xmrig differs"},
		"the agent":        {`cp /usr/local/bin/xmrig-orchestrator /opt/agent; echo >>/opt/agent; mv /opt/agent /usr/local/bin/xmrig-orchestrator`, "the binary xmrig-orchestrator differs"},
		"another program":  {`systemctl stop xmrig; systemd-run -q --unit other true; sed -i /^ExecStartPre/d /etc/systemd/system/xmrig.service; systemctl daemon-reload; systemctl start xmrig`, "xmrig.service differs from fleet.hcl; it is not known what the running miner was started with"},
		"agent's settings": {`sed -i 's/"1s"/"1h"/' /etc/xmrig/orchestrator.json`, "orchestrator.json differs"},
	} {
		f.sh("mini-2", test[0])
		if o := f.mustRun(exitPartial, "status", "mini-2"); !strings.Contains(o.stdout, test[1]) {
			t.Errorf("%s: want %q in:\n%s", what, test[1], o.stdout)
		}
		f.apply()
		f.mustRun(exitDone, "status", "mini-2")
	}

	f.sh("mini-2", `sed -i 's,^ExecStart=.*,ExecStart=/bin/sleep infinity,; s/^Type=notify/Type=exec/' /etc/systemd/system/xmrig-orchestrator.service
		systemctl daemon-reload; systemctl restart xmrig-orchestrator`)
	o = f.mustRun(exitError, "restart", "-l", "mini-2")
	contains(t, o.stdout, "what runs as xmrig-orchestrator.service is not the health agent", "xmrfleet apply --target agent")
	contains(t, f.mustRun(exitPartial, "status", "mini-2").stdout, "xmrig-orchestrator.service differs from fleet.hcl")
	f.apply()
	f.mustRun(exitDone, "restart", "-l", "mini-2")
}

// TestWait waits for miners that will hash, and for one that will not.
func TestWait(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}
host "mini-2" {}
`, "mini-1", "mini-2")
	f.simulate("mini-1", "state=pool-down")
	o := f.apply()
	contains(t, o.stderr, "mini-1  ✓ 11 changes made, verified: process, API, agent; it is not connected to its pool yet")
	contains(t, o.stdout, "…", "mini-1", "it is not connected to its pool yet\n", "`xmrfleet status --wait` waits until they hash", "Apply: 2 of 2 hosts converged")

	o = f.mustRun(exitPartial, "status", "--wait", "mini-1")
	contains(t, o.stdout, "mini-1  unhealthy", "waited in vain: unhealthy, pool-down")
	f.simulate("mini-1", "")
	contains(t, f.mustRun(exitDone, "status", "--wait=1h").stdout, "2 of 2 hosts healthy, 2 as described")

	f.simulate("mini-1", "state=pool-down")
	f.write(preamble + `host "mini-1" {
  groups = ["all"]
}
host "mini-2" {
  groups = ["all"]
}
group "all" {
  xmrig { max_threads_hint = 40 }
}
`)
	o = f.mustRun(exitPartial, "apply", "--yes", "--wait=1h")
	contains(t, o.stdout, "  ! mini-1  changed, but not verified: wait: unhealthy, pool-down: ", "Apply: 1 of 2 hosts converged")
	if strings.Contains(o.stdout, "…") {
		t.Errorf("mini-2 was not waited for:\n%s", o.stdout)
	}
	o = f.mustRun(exitPartial, "apply", "--yes", "--wait") // nothing is left to do, and one does not hash
	contains(t, o.stdout, "Plan: nothing to do", "  ! mini-1  untouched: wait: unhealthy, pool-down: ", "Apply: 1 of 2 hosts converged, 0 changes made.")
	f.simulate("mini-1", "")
	f.mustRun(exitDone, "apply", "--yes", "--wait=1h")
}
