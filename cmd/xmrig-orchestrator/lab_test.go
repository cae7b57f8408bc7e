//go:build lab

package main

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/release"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// The tests of these files run the agent that the built xmrfleet installs, under
// its unit on a real host. The miner is a simulator.

const name = "mini-1"

var archive = sync.OnceValues(func() (release.Archive, error) {
	dir, err := os.MkdirTemp("", "xmrfleet-release-*")
	if err != nil {
		return release.Archive{}, err
	}
	return release.Build(context.Background(), dir)
})

// fleetFile is a fleet of one whose agent is in a hurry.
const fleetFile = `
wallet = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"
variable "sha256" {}
variable "source" {}
pool "a" { url = "pool-a.example:443" }
xmrig {
  version = "6.26.0"
  sha256  = var.sha256
  source  = var.source
}
agent {
  interval      = "1s"
  start_grace   = "5s"
  pause_limit   = "4s"
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
	path string // of the database on the host
}

// newRig boots a host, prepares it by a script, and applies a fleet file with
// settings in its agent block.
func newRig(t *testing.T, prepare string, settings ...string) *rig {
	t.Helper()
	t.Parallel()
	r := &rig{t: t, lab: lab.Start(t, name), dir: t.TempDir(), path: agent.Database}
	r.control("busy=0.2")
	if prepare != "" {
		r.sh(prepare)
	}
	for _, line := range settings {
		if path, ok := strings.CutPrefix(line, "database = "); ok {
			r.path = strings.Trim(path, `"`)
		}
	}
	r.describe(strings.Join(settings, "\n"), "")
	r.xmrfleet("apply", "--yes")
	r.state("running")
	return r
}

func (r *rig) describe(agent, miner string) {
	r.t.Helper()
	text := strings.NewReplacer("AGENT", agent, "MINER", miner).Replace(fleetFile)
	if err := os.WriteFile(filepath.Join(r.dir, "fleet.hcl"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// xmrfleet runs the CLI and returns what it printed.
func (r *rig) xmrfleet(args ...string) string {
	r.t.Helper()
	program, err := filepath.Abs("../../bin/xmrfleet")
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := archive()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = r.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "XMRFLEET_SSH_CONFIG=" + r.lab.SSHConfig(),
		"XMRFLEET_VAR_source=" + a.Path, "XMRFLEET_VAR_sha256=" + a.SHA256}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("xmrfleet %s: %v; run `make build` first?\n%s\n%s", strings.Join(args, " "), err, out, r.story())
	}
	return string(out)
}

// sh runs a script as root on the host.
func (r *rig) sh(script string, args ...string) string {
	r.t.Helper()
	out, err := r.lab.Host(name).Sh(r.t.Context(), script, args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// control tells the simulator what to go through.
func (r *rig) control(words string) {
	r.t.Helper()
	r.sh(`mkdir -p /run/xmrig-sim && echo "$1" >/run/xmrig-sim/new && mv /run/xmrig-sim/new /run/xmrig-sim/control`, "speed=20 "+words)
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
func (r *rig) await(what string, limit time.Duration, want func(health.Process) bool) health.Process {
	r.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		p := r.row()
		if want(p) {
			return p
		}
		if time.Now().After(end) {
			p.Snapshot = nil
			r.t.Fatalf("%s: not within %v: %+v\n%s", what, limit, p, r.story())
		}
	}
}

func (r *rig) state(state string) health.Process {
	r.t.Helper()
	return r.await(state, 40*time.Second, func(p health.Process) bool { return p.State == state })
}

// caused waits for a state with a cause in the status, for people and programs.
func (r *rig) caused(state, cause string) {
	r.t.Helper()
	r.until(40*time.Second, `xmrig-orchestrator status --json | grep -F '"state":"'"$1"'"' | grep -F '"cause":"'"$2"'"'`, state, cause)
}

func (r *rig) until(limit time.Duration, script string, args ...string) string {
	r.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		out, err := r.lab.Host(name).Sh(r.t.Context(), script, args...)
		if err == nil {
			return out
		}
		if time.Now().After(end) {
			r.t.Fatalf("not within %v: %v\n%s", limit, err, r.story())
		}
	}
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
