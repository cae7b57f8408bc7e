//go:build lab

package main

import (
	"testing"
)

// snapshot prints all that an apply could move on a host: files with their
// times, and each run of the services.
const snapshot = `
find /etc/xmrig /etc/systemd/system /etc/systemd/journald@xmrig.conf /usr/local /etc/passwd /etc/group \
	-printf '%p %m %u %g %s %T@ %C@ %l\n' | sort
systemctl show -p InvocationID -p ActiveState -p UnitFileState -p NRestarts \
	xmrig.service xmrig-orchestrator.service systemd-journald@xmrig.service`

var exampleHosts = []string{"mini-1", "miner-beta", "miner-gamma", "miner-delta"}

func TestFreshApply(t *testing.T) {
	f := newFleet(t, "", exampleHosts...)
	f.mustRun(exitChanges, "plan", "--detailed-exitcode")
	o := f.apply()
	contains(t, o.stdout, "Apply: 4 of 4 hosts converged")
	for _, host := range exampleHosts {
		contains(t, f.sh(host, `systemctl is-active xmrig xmrig-orchestrator; /usr/local/bin/xmrig-orchestrator check`),
			"active\nactive\n", `"ok":`)
		contains(t, f.sh(host, `journalctl -q -t xmrfleet -o cat`), "run ", "start service xmrig")
	}

	before := make(map[string]string)
	for _, host := range exampleHosts {
		before[host] = f.sh(host, snapshot)
	}
	f.converged()
	contains(t, f.apply().stdout, "Plan: nothing to do, 4 hosts are as described.")
	for _, host := range exampleHosts {
		if after := f.sh(host, snapshot); after != before[host] {
			t.Errorf("%s moved in an apply without changes\nbefore\n%s\nafter\n%s", host, before[host], after)
		}
	}
}
