//go:build lab

package main

import (
	"strings"
	"testing"
)

// TestRemovedHost leaves the fleet file: plan and apply say so, until nothing is
// left on it or it is forgotten.
func TestRemovedHost(t *testing.T) {
	const one, two = `host "mini-1" {}` + "\n", `host "mini-2" {}` + "\n"
	f := newFleet(t, one+two, "mini-1", "mini-2")
	f.apply()
	f.write(preamble + one)
	const reminder = "  ! mini-2  the fleet file does not name it any more; it is as the apply of "
	contains(t, f.mustRun(exitDone, "plan").stdout, reminder, `removed "mini-2" {} takes everything off it`, "Plan: nothing to do, 1 host is as described.")
	contains(t, f.apply().stdout, reminder)
	f.sh("mini-2", `systemctl is-active xmrig`)

	f.write(preamble + one + `removed "mini-2" {}` + "\n")
	contains(t, f.mustRun(exitChanges, "plan", "--detailed-exitcode").stdout, "  ~ mini-2", "stop    service xmrig", "Plan: 1 of 2 hosts to change")
	f.apply()
	f.sh("mini-2", `! systemctl is-active xmrig && ! test -e /etc/xmrig/config.json && ! test -e /usr/local/bin/xmrig-orchestrator`)
	contains(t, f.mustRun(exitDone, "plan", "--detailed-exitcode").stdout, `    mini-2  nothing is left on it: the block removed "mini-2" can be deleted`, "Plan: nothing to do, 2 hosts are as described.")

	f.write(preamble + one)
	if o := f.mustRun(exitDone, "plan"); strings.Contains(o.stdout, "mini-2") {
		t.Error(o)
	}
	f.write(preamble + two)
	contains(t, f.mustRun(exitChanges, "plan", "--detailed-exitcode").stdout, "  ! mini-1  the fleet file does not name it any more")
	contains(t, f.mustRun(exitDone, "forget", "mini-1").stdout, "Forgotten: mini-1. ")
	f.sh("mini-1", `systemctl is-active xmrig`)
}
