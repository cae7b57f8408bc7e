//go:build lab

package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// The tests of these files run the agent that the built xmrfleet installs, under
// its unit on a real host. The miner is a simulator.

const name = "mini-1"

// fleetFile is a fleet of one whose agent is in a hurry.
const fleetFile = labtest.Preamble + `
agent {
  interval      = "1s"
  start_grace   = "5s"
  pool_alert    = "3s"
  dataset_grace = "5s"
  api_dead      = "8s"
  thread_dead   = "4s"
  backoff_start = "5s"
  crash_limit   = 2
  crash_window  = "5m"
  AGENT
}
host "mini-1" {
  xmrig {
    MINER
  }
}
`

// A rig is a real host with the agent and a simulated miner.
type rig struct {
	t    *testing.T
	lab  *lab.Lab
	dir  string
	env  map[string]string
	path string // of the database on the host

	waited int // how many decisions of the agent a wait has passed
}

// newRig boots a host, prepares it by a script, and applies a fleet file with
// settings in its agent block.
func newRig(t *testing.T, prepare string, settings ...string) *rig {
	t.Helper()
	t.Parallel()
	r := bareRig(t)
	if prepare != "" {
		r.sh(prepare)
	}
	for _, line := range settings {
		if path, ok := strings.CutPrefix(line, "database = "); ok {
			r.path = strings.Trim(path, `"`)
			r.migrate()
		}
	}
	r.describe(strings.Join(settings, "\n"), "")
	r.xmrfleet("apply", "--yes")
	r.state("running")
	return r
}

// bareRig boots a host, with more packages than it needs if a test asks for them.
func bareRig(t *testing.T, packages ...string) *rig {
	t.Helper()
	r := &rig{t: t, path: agent.Database}
	r.lab = lab.StartWith(t, lab.Options{Hosts: []string{name}, System: lab.System{Packages: packages}})
	r.dir, r.env = labtest.Client(t, r.lab)
	r.control("busy=0.2")
	return r
}

func (r *rig) describe(agent, miner string) {
	r.t.Helper()
	text := strings.NewReplacer("AGENT", agent, "MINER", miner).Replace(fleetFile)
	labtest.WriteFleet(r.t, r.dir, text)
}

// xmrfleet runs the CLI and returns what it printed.
func (r *rig) xmrfleet(args ...string) string {
	r.t.Helper()
	stdout, stderr, code := labtest.Run(r.t, labtest.Command(r.t, r.dir, r.env, args...))
	if code != 0 {
		r.t.Fatalf("xmrfleet %s: exit %d\n%s%s\n%s", strings.Join(args, " "), code, stdout, stderr, r.story())
	}
	return stdout + stderr
}

// applyUnverified applies the fleet file where a fault keeps the agent from its
// work, which the apply has to tell.
func (r *rig) applyUnverified(fault string) {
	r.t.Helper()
	stdout, stderr, code := labtest.Run(r.t, labtest.Command(r.t, r.dir, r.env, "apply", "--yes"))
	if code != 3 || !strings.Contains(stdout, "changed, but not verified: ") || !strings.Contains(stdout, fault) {
		r.t.Fatalf("apply: exit %d, want 3 for %q\n%s%s\n%s", code, fault, stdout, stderr, r.story())
	}
}

// sh runs a script as root on the host.
func (r *rig) sh(script string, args ...string) string {
	r.t.Helper()
	return labtest.Sh(r.t, r.lab.Host(name), script, args...)
}

// control tells the simulator what to go through.
func (r *rig) control(words string) {
	r.t.Helper()
	r.sh(`mkdir -p /run/xmrig-sim && echo "$1" >/run/xmrig-sim/new && mv /run/xmrig-sim/new /run/xmrig-sim/control`, "speed=20 "+words)
}

// healedByRestart has the next end of the miner's process change what the simulator
// goes through, so that what comes after a restart does not wait for this test.
func (r *rig) healedByRestart(words string) {
	r.t.Helper()
	r.sh(`mkdir -p /run/systemd/system/xmrig.service.d
printf '[Service]\nExecStopPost=+/bin/sh -c "echo %s >/run/xmrig-sim/control"\n' "$1" >/run/systemd/system/xmrig.service.d/heal.conf
systemctl daemon-reload`, "speed=20 "+words)
}

// sqlite runs sqlite3 of this machine on the host's database: one file, one
// kernel.
func (r *rig) sqlite(script string) string {
	r.t.Helper()
	cmd := exec.Command("sqlite3", "-bail", r.file(r.path))
	cmd.Stdin = strings.NewReader(".timeout 20000\n" + script + ";\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("sqlite3 %s: %v %s", script, err, out)
	}
	return string(out)
}

// migrate makes the tables of the specification in the database of a Rails
// application, which is there.
func (r *rig) migrate() {
	r.t.Helper()
	r.sqlite(store.Specification())
}

// file is a file of the host as it is seen from here.
func (r *rig) file(path string) string {
	return filepath.Join(r.lab.Dir(), "hosts", name, "root", path)
}

// row reads the host's row.
func (r *rig) row() health.Process {
	db, err := store.OpenReadOnly(r.t.Context(), r.file(r.path))
	if err != nil {
		return health.Process{}
	}
	defer db.Close()
	p, _ := db.Process(r.t.Context(), name)
	return p
}

// await waits for a row.
func (r *rig) await(what string, want func(health.Process) bool) health.Process {
	r.t.Helper()
	var p health.Process
	labtest.Wait(r.t, func() bool { p = r.row(); return want(p) }, func() string {
		p.Snapshot = nil
		return fmt.Sprintf("%s: %+v\n%s", what, p, r.story())
	})
	return p
}

// state waits until the row has a state, or the agent has decided on it since the
// last wait: a state may be over before anybody looks. It returns the row, which is
// written before the decision.
func (r *rig) state(state string) health.Process {
	r.t.Helper()
	r.await(state, func(p health.Process) bool {
		return r.passed(p.State == state, func(d store.Decision) bool { return d.State == state })
	})
	return r.row()
}

// caused waits until the status, for people and programs, has a state with a
// cause, or the agent has decided on it since the last wait.
func (r *rig) caused(state, cause string) {
	r.t.Helper()
	var status string
	labtest.Wait(r.t, func() bool {
		status, _ = r.lab.Host(name).Sh(context.Background(), `xmrig-orchestrator status --json`)
		now := strings.Contains(status, `"state":"`+state+`"`) && strings.Contains(status, `"cause":"`+cause+`"`)
		return r.passed(now, func(d store.Decision) bool { return d.State == state && d.Cause == cause })
	}, func() string { return fmt.Sprintf("%s, %s: %s\n%s", state, cause, status, r.story()) })
}

// passed reports whether such a decision was made since the last wait, or is in
// force now, and if so ends this wait.
func (r *rig) passed(now bool, such func(store.Decision) bool) bool {
	all := r.decisions()
	r.waited = min(r.waited, len(all)) // unless somebody deletes the database
	if i := slices.IndexFunc(all[r.waited:], such); i >= 0 {
		r.waited += i + 1
		return true
	}
	if now {
		r.waited = len(all)
	}
	return now
}

// decisions are what the agent has decided, as far as it can be read from here.
func (r *rig) decisions() []store.Decision {
	db, err := store.OpenReadOnly(r.t.Context(), r.file(agent.Database))
	if err != nil {
		return nil
	}
	defer db.Close()
	all, _ := db.Decisions(r.t.Context(), name, 1000)
	return all
}

// polls waits for so many polls of the agent, which are a second apart or more.
// The miner's process has to stay what it is.
func (r *rig) polls(n int) {
	r.t.Helper()
	before := r.row()
	last := before.CheckedAt
	for range n {
		last = r.await("poll", func(p health.Process) bool {
			if p.PID != before.PID || p.Restarts != before.Restarts {
				r.t.Fatalf("another process: %+v\n%s", p, r.story())
			}
			return p.CheckedAt.After(last)
		}).CheckedAt
	}
}

// until runs a script as root on the host until it succeeds, and returns what it
// prints.
func (r *rig) until(script string, args ...string) string {
	r.t.Helper()
	return labtest.Until(r.t, r.lab.Host(name), r.story, script, args...)
}

// resident is the agent's VmRSS in kB between two polls.
func (r *rig) resident() int {
	r.t.Helper()
	sizes := strings.Fields(r.sh(`pid=$(systemctl show -p MainPID --value xmrig-orchestrator)
		for i in 1 2 3 4 5 6 7 8 9; do sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$pid/status"; sleep 0.17; done`))
	slices.SortFunc(sizes, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	kB, err := strconv.Atoi(sizes[len(sizes)/2])
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Logf("VmRSS %d kB", kB)
	return kB
}

// story is what the host says of itself.
func (r *rig) story() string {
	out, err := r.lab.Host(name).Sh(context.WithoutCancel(r.t.Context()), `xmrig-orchestrator status; xmrig-orchestrator history
		journalctl --namespace=xmrig --sync; journalctl -q --namespace=+xmrig -u xmrig-orchestrator -n 40 --no-pager -o cat`)
	if err != nil {
		return err.Error()
	}
	return out
}

// commands shows the commands, without the output of systemctl.
func (r *rig) commands() string {
	r.t.Helper()
	return r.sqlite(`SELECT action, status, reason FROM xmrig_commands ORDER BY id`)
}
