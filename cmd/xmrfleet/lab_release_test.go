//go:build lab

package main

import (
	"strings"
	"testing"

	"xmrfleet/cmd/internal/lab"
)

// TestReleases takes a host of each other release of Debian through its life. All
// other tests are on Debian 12, unless XMRFLEET_LAB_RELEASE names a release.
func TestReleases(t *testing.T) {
	for _, release := range []string{"bullseye", "trixie"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			fleetOn(t, lab.System{Release: release}, mini1(), "mini-1").life(release)
		})
	}
}

func (f *fleet) life(release string) {
	f.t.Helper()
	t := f.t
	f.simulate("mini-1", "speed=20 busy=0.2")
	bare := f.sh("mini-1", paths)
	described := func() {
		t.Helper()
		f.converged()
		f.awaitState("mini-1", "running", "healthy")
		contains(t, f.mustRun(exitDone, "status").stdout, "mini-1  running", "1 of 1 host healthy, 1 as described")
	}
	contains(t, f.mustRun(exitDone, "facts").stdout, "("+release+")")
	f.mustRun(exitChanges, "plan", "--detailed-exitcode")
	f.apply()
	described()
	before := f.footprint("mini-1")
	contains(t, f.apply().stdout, "Plan: nothing to do, 1 host is as described.")
	if got := moved(before, f.footprint("mini-1")); got != nil {
		t.Errorf("an apply without changes moved %q", got)
	}

	contains(t, f.mustRun(exitDone, "restart", "--yes", "--reason", "a test").stdout, "Restart: 1 of 1 host.")
	contains(t, f.mustRun(exitDone, "stop", "--yes").stdout, "mini-1  stopped")
	contains(t, f.mustRun(exitPartial, "status").stdout, "mini-1  stopped")
	contains(t, f.mustRun(exitDone, "start", "--yes").stdout, "mini-1  started")
	described()
	contains(t, f.mustRun(exitDone, "history").stdout, "restart completed (a test (", "stop completed (", "start completed (",
		": made all 11 changes\n", ": restart xmrig.service: a test: done\n")
	contains(t, f.mustRun(exitDone, "logs", "-n", "10000").stdout, "  systemd: Started ", "pool-a.example:443")
	contains(t, f.mustRun(exitError, "logs", "--since", "the flood").stderr, ": Failed to parse timestamp: the flood\n")

	f.write(preamble + mini1("max_threads_hint = 7"))
	f.plans("mini-1", []string{"~ update  file /etc/xmrig/config.json", "~ restart service xmrig: the running process has the old config"})
	f.apply()
	described()
	for _, w := range wounds("") {
		if w.name == "unit edited and used" {
			f.heal("mini-1", w)
		}
	}

	f.write(preamble + mini1(`state = "absent"`))
	f.apply()
	if left := f.sh("mini-1", paths); left != bare {
		t.Errorf("absent leaves\n%s", difference(bare, left))
	}
	f.converged()
	if o := f.mustRun(exitDone, "status"); !strings.Contains(o.stdout, "absent") {
		t.Error(o)
	}
}
