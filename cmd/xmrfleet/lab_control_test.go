//go:build lab

package main

import (
	"strings"
	"testing"
)

func TestControl(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}
host "miner-beta" {}
`, "mini-1", "miner-beta")
	f.apply()
	process := func() string { return f.sh("mini-1", `systemctl show -p MainPID --value xmrig`) }

	before := process()
	contains(t, f.mustRun(exitDone, "restart", "-l", "mini-1", "--reason", "a test").stdout, "mini-1  restarted", "Restart: 1 of 1 host.")
	if process() == before {
		t.Error("the miner was not restarted")
	}

	o := f.mustRun(exitDone, "stop", "-l", "mini-1")
	contains(t, o.stdout, "mini-1  stopped", "fleet.hcl says otherwise")
	contains(t, f.mustRun(exitChanges, "plan", "--detailed-exitcode").stdout, "mini-1", "+ start   service xmrig", "Plan: 1 of 2 hosts")
	contains(t, f.mustRun(exitDone, "start", "-l", "mini-1").stdout, "mini-1  started")
	f.converged()

	o = f.run("stop")
	if o.code != exitError {
		t.Errorf("every host was stopped without a question: %v", o)
	}
	contains(t, o.stderr, "every host is meant", "pass --yes")
	contains(t, f.mustRun(exitDone, "restart", "--yes").stdout, "Restart: 2 of 2 hosts.")

	contains(t, f.mustRun(exitDone, "history").stdout, "restart completed (a test (", "stop completed (xmrfleet stop by ", "start completed")
	contains(t, f.mustRun(exitDone, "history", "--json", "-l", "mini-1").stdout, `"type":"history_event"`, `"action":"restart"`, `"type":"run_summary"`)
	contains(t, f.mustRun(exitDone, "history", "--since", "7d", "-l", "mini-1").stdout, ": restart xmrig.service: a test: done\n", ": stop xmrig.service: done\n",
		": made all 11 changes\n", " within 7 days.")
	f.sh("mini-1", `runuser -u nobody -- sh -c 'echo forged | systemd-cat -t xmrfleet'; journalctl --sync`)
	if o := f.mustRun(exitDone, "history", "--json", "-l", "mini-1"); strings.Contains(o.stdout, "forged") || !strings.Contains(o.stdout, `"type":"audit_entry"`) {
		t.Error(o.stdout)
	}
}

func TestControlDirect(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()
	f.sh("mini-1", `systemctl stop xmrig-orchestrator`)
	o := f.mustRun(exitError, "restart", "-l", "mini-1")
	contains(t, o.stdout, "the health agent is down", "--direct")

	contains(t, f.mustRun(exitDone, "stop", "-l", "mini-1", "--direct").stdout, "stopped")
	contains(t, f.sh("mini-1", `systemctl is-active xmrig; systemctl is-enabled xmrig; :`), "inactive\ndisabled\n")
	contains(t, f.mustRun(exitDone, "start", "-l", "mini-1", "--direct").stdout, "started")
	contains(t, f.sh("mini-1", `systemctl is-active xmrig; systemctl is-enabled xmrig; :`), "active\nenabled\n")

	contains(t, f.sh("mini-1", `journalctl -q -t xmrfleet -o cat`), ": stop xmrig.service\n", ": stop xmrig.service: done\n",
		": restart xmrig.service: failed, exit status 69\n")

	f.sh("mini-1", `rm /usr/local/bin/xmrig-orchestrator`)
	contains(t, f.mustRun(exitError, "history").stdout, ": stop xmrig.service: done\n", "there is no health agent on the host")
}

// More than five commands in a minute are refused, as the specification wants.
func TestControlRateLimit(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()
	for range 5 {
		f.mustRun(exitDone, "restart", "-l", "mini-1", "--no-wait")
	}
	contains(t, f.mustRun(exitError, "restart", "-l", "mini-1").stdout, "5 commands")
}
