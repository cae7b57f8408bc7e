//go:build lab

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
	"xmrfleet/testdata/lab"
	"xmrfleet/testdata/release"
)

// The tests of this file run the agent that the built xmrfleet installs, under
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

// Each state is entered and left, seen in the tables and in the status, and
// the right thing is done or left alone.
func TestLabStates(t *testing.T) {
	r := newRig(t, "")
	healthy := r.state("running")
	r.caused("running", "healthy")

	// A pool that is down: nothing is done, however long.
	r.control("busy=0.2 state=pool-down")
	r.caused("unhealthy", "pool-down")
	time.Sleep(10 * time.Second)
	if p := r.row(); p.PID != healthy.PID || p.State != "unhealthy" {
		t.Errorf("while the pool is down: %+v", p)
	}
	r.control("busy=0.2")
	r.caused("running", "healthy")

	// A dataset is rebuilt: no hashes, but work.
	r.control("busy=0.2 state=dataset")
	time.Sleep(4 * time.Second)
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if p := r.row(); p.PID != healthy.PID || p.Restarts != 0 {
		t.Errorf("after a dataset: %+v", p)
	}

	// A wedge: one restart, and it is over.
	r.control("busy=0 state=wedged")
	r.await("wedged", 20*time.Second, func(p health.Process) bool { return p.State == "unhealthy" })
	p := r.await("restart", 60*time.Second, func(p health.Process) bool { return p.Restarts == 1 })
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if got := r.commands(); got != "restart|completed|xmrig-orchestrator: wedged\n" {
		t.Errorf("commands: %s", got)
	}
	if p.PID == healthy.PID || !strings.Contains(p.LastError, "no hashrate") {
		t.Errorf("after a wedge: %+v", p)
	}

	// Killed: systemd starts it again, and the row says why.
	r.sh(`systemctl kill -s KILL xmrig`)
	p = r.state("restarting")
	if !strings.HasPrefix(p.LastError, "xmrig.service: signal: signal 9") {
		t.Errorf("after a kill: %+v", p)
	}
	p = r.state("running")
	if p.Restarts != 2 {
		t.Errorf("after a kill: %+v", p)
	}

	// The commands of people.
	for action, states := range map[string][]string{"stop": {"stopping", "stopped"}} {
		r.slowStop()
		r.sh(`xmrig-orchestrator enqueue "$1" --reason test`, action)
		for _, state := range states {
			r.state(state)
		}
	}
	r.caused("stopped", "stopped")
	r.sh(`xmrig-orchestrator enqueue start --reason test --wait`)
	r.state("starting")
	r.state("running")
	latency := r.sqlite(`SELECT max((julianday(processed_at) - julianday(created_at)) * 86400) FROM xmrig_commands`)
	t.Logf("longest time from enqueue to claim: %s s", strings.TrimSpace(latency))
	if latency >= "1" {
		t.Errorf("a command waited %s s", latency)
	}

	// No valid configuration: systemd gives up.
	r.sh(`cp /etc/xmrig/config.json /run/config; echo '{' >/etc/xmrig/config.json; systemctl restart xmrig || :`)
	p = r.state("crashed")
	if !strings.Contains(p.LastError, "no valid configuration; xmrig: ") {
		t.Errorf("without a configuration: %+v", p)
	}
	r.caused("crashed", "config")
	r.sh(`cp /run/config /etc/xmrig/config.json`)
	r.sh(`xmrig-orchestrator enqueue start --reason repaired --wait`)
	r.state("running")
	if got := r.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
	t.Logf("why:\n%s", r.sh(`xmrig-orchestrator why`))
}

// slowStop makes each stop of the miner take a while.
func (r *rig) slowStop() {
	r.t.Helper()
	r.sh(`mkdir -p /run/systemd/system/xmrig.service.d
printf '[Service]\nExecStop=/bin/sleep 3\n' >/run/systemd/system/xmrig.service.d/slow.conf; systemctl daemon-reload`)
}

// A miner that crashes again and again is stopped, once, until a person starts
// it.
func TestLabCrashLoop(t *testing.T) {
	r := newRig(t, "")
	r.control("crash=abort")
	p := r.state("crashed")
	r.caused("crashed", "crash-loop")
	if got := r.sh(`systemctl is-active xmrig; systemctl is-enabled xmrig` + "; :"); !strings.HasSuffix(got, "enabled\n") || strings.HasPrefix(got, "active") {
		t.Errorf("the unit is %s", got)
	}
	if got := r.commands(); got != "stop|completed|xmrig-orchestrator: crash-loop\n" {
		t.Errorf("commands: %s", got)
	}
	time.Sleep(12 * time.Second) // longer than RestartSec
	if q := r.row(); q.Restarts != p.Restarts || q.State != "crashed" {
		t.Errorf("it goes on: %+v", q)
	}
	r.control("busy=0.2")
	r.sh(`xmrig-orchestrator enqueue start --reason repaired --wait`)
	r.state("running")
	r.caused("running", "healthy")
}

// A port that is taken at the miner's start costs it its API for good: one
// restart, not at once, with proof that it mines.
func TestLabPortTaken(t *testing.T) {
	r := newRig(t, "")
	r.sh(`systemctl stop xmrig
		systemd-run -q --unit=squatter --socket-property=ListenStream=127.0.0.1:8080 true
		systemctl start xmrig; sleep 1; systemctl stop squatter.socket`)
	r.caused("unhealthy", "api-dead")
	p := r.await("restart", 60*time.Second, func(p health.Process) bool { return p.Restarts == 1 })
	if !strings.Contains(p.LastError, "connection refused; xmrig: net HTTP API server failed to start.") {
		t.Errorf("last error is %q", p.LastError)
	}
	r.caused("running", "healthy")
	if got := r.commands(); got != "restart|completed|xmrig-orchestrator: api-dead\n" {
		t.Errorf("commands: %s", got)
	}
}

// A stop by the queue outlives a reboot, until an apply or a start.
func TestLabStopAndReboot(t *testing.T) {
	r := newRig(t, "")
	r.sh(`xmrig-orchestrator enqueue stop --reason "new fans" --wait`)
	r.state("stopped")
	reboot := func() {
		t.Helper()
		if err := r.lab.Host(name).Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.control("busy=0.2")
		r.until(20*time.Second, `systemctl is-active xmrig-orchestrator`)
	}
	reboot()
	now := time.Now()
	r.await("poll after the reboot", 20*time.Second, func(p health.Process) bool { return p.CheckedAt.After(now) })
	if p := r.row(); p.State != "stopped" || p.PID != 0 {
		t.Errorf("after a reboot: %+v", p)
	}
	plan := r.xmrfleet("plan")
	for _, want := range []string{"service xmrig", "start at boot", "start"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan lacks %q:\n%s", want, plan)
		}
	}
	r.sh(`xmrig-orchestrator enqueue start --reason "fans are in" --wait`)
	r.state("running")
	if plan := r.xmrfleet("plan", "--detailed-exitcode"); strings.Contains(plan, "~") {
		t.Errorf("a started host has a plan:\n%s", plan)
	}
	before := r.row()
	reboot()
	p := r.await("running after the reboot", 40*time.Second, func(p health.Process) bool {
		return p.State == "running" && !p.StartedAt.Equal(before.StartedAt)
	})
	if p.Restarts != before.Restarts {
		t.Errorf("a reboot counts as a restart: %+v", p)
	}

	// By hand: it stays stopped, and the agent leaves it alone.
	r.sh(`systemctl stop xmrig`)
	r.state("stopped")
	time.Sleep(3 * time.Second)
	if p := r.row(); p.State != "stopped" {
		t.Errorf("after a stop by hand: %+v", p)
	}
	// SIGHUP ends XMRig with status 0; that was nobody's purpose.
	r.sh(`systemctl start xmrig`)
	r.state("running")
	r.sh(`systemctl kill -s HUP xmrig`)
	r.state("restarting")
	r.state("running")
}

// An agent that is killed in the middle of a command leaves it to the next.
func TestLabAgentKilled(t *testing.T) {
	r := newRig(t, "")
	r.slowStop()
	before := r.row()
	for _, action := range []string{"restart", "stop", "start"} {
		r.sh(`xmrig-orchestrator enqueue "$1" --reason test`, action)
		r.until(5*time.Second, `xmrig-orchestrator history | tail -1 | grep -E 'processing|completed'`)
		r.sh(`systemctl kill -s KILL xmrig-orchestrator`)
		r.until(30*time.Second, `xmrig-orchestrator history | grep command | tail -1 | grep completed`)
	}
	p := r.state("running")
	if p.Restarts != before.Restarts {
		t.Errorf("people's commands count as restarts: %+v", p)
	}
	if got := r.commands(); got != "restart|completed|test\nstop|completed|test\nstart|completed|test\n" {
		t.Errorf("commands: %s", got)
	}
	// systemd went on with the restart, so that a second one was not needed.
	if got := r.sqlite(`SELECT result FROM xmrig_commands WHERE action = 'restart'`); !strings.HasPrefix(got, "the agent ended meanwhile; the miner was started at ") {
		t.Errorf("the restart: %s", got)
	}
}

// The database is written to by two other programs, a thousand commands each;
// locked for a minute; deleted. Nothing is lost that need not be.
func TestLabDatabase(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	r := newRig(t, "")
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			var script strings.Builder
			script.WriteString(".timeout 20000\n")
			for i := range 1000 {
				fmt.Fprintf(&script, "INSERT INTO xmrig_commands (hostname, action, reason, created_at, updated_at) VALUES ('mini-1', 'restart', '%d-%d', datetime('now'), datetime('now'));\n", w, i)
			}
			cmd := exec.Command("sqlite3", "-bail", r.file(r.path))
			cmd.Stdin = strings.NewReader(script.String())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("sqlite3: %v %s", err, out)
			}
		})
	}
	wg.Wait()
	r.until(30*time.Second, `! xmrig-orchestrator history | grep -qE 'pending|processing'`)
	got := r.sqlite(`SELECT count(*), count(DISTINCT reason), sum(status = 'completed') BETWEEN 1 AND 6,
sum(status = 'failed' AND error_message NOT LIKE 'Superseded%' AND error_message NOT LIKE 'rate limit%') FROM xmrig_commands WHERE reason LIKE '_-%'; PRAGMA integrity_check`)
	if got != "2000|2000|1|0\nok\n" {
		t.Errorf("commands: %s", got)
	}

	// Locked for a minute, while the miner crashes twice.
	before := r.row()
	locker := exec.Command("sqlite3", r.file(r.path))
	in, err := locker.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := locker.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, ".timeout 20000\nBEGIN IMMEDIATE;")
	release := time.Now().Add(time.Minute)
	time.Sleep(time.Second)
	pid := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`)
	r.sh(`systemctl kill -s KILL xmrig`)
	r.until(20*time.Second, `[ "$(systemctl show -p NRestarts --value xmrig)" = 1 ] && systemctl is-active xmrig`)
	time.Sleep(time.Until(release))
	in.Close()
	locker.Wait()
	p := r.await("after the lock", 40*time.Second, func(p health.Process) bool { return p.CheckedAt.After(release) })
	if p.Restarts != before.Restarts+1 {
		t.Errorf("restarts before %d, after %d", before.Restarts, p.Restarts)
	}

	r.sh(`rm -f "$1" "$1-wal" "$1-shm"`, r.path)
	deleted := time.Now()
	r.await("a new database", 40*time.Second, func(p health.Process) bool { return p.CheckedAt.After(deleted) })
	r.sh(`xmrig-orchestrator enqueue restart --reason "still there?" --wait`)
	if got := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`); got != pid {
		t.Errorf("the agent is another one: %s, %s", pid, got)
	}
	if got := r.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
	status := r.sh(`grep VmRSS "/proc/$1/status"`, strings.TrimSpace(pid))
	t.Logf("after all of it: %s", status)
	var kB int
	if _, err := fmt.Sscanf(status, "VmRSS: %d kB", &kB); err != nil || kB > 10_000_000/1024 {
		t.Errorf("VmRSS is %d kB, %v", kB, err)
	}
}

// A Rails application's database on a small disk: its rows are worked off, its
// schema and journal mode stay, and a full disk is survived.
func TestLabShared(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	const path = "/srv/rails/production.sqlite3"
	r := newRig(t, `mkdir -p /srv/rails; touch `+path+`; chown deploy: /srv/rails /srv/rails/*`, `database = "`+path+`"`)
	if got := r.sqlite(`PRAGMA journal_mode; SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`); got != "delete\nxmrig_commands\nxmrig_processes\n" {
		t.Errorf("the schema is %s", got)
	}
	before := r.row()
	begin := time.Now()
	r.sqlite(`INSERT INTO "xmrig_commands" ("hostname", "action", "status", "reason", "result", "processed_at", "error_message", "created_at", "updated_at")
VALUES ('mini-1', 'restart', 'pending', 'manual', NULL, NULL, NULL, strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', 'now')) RETURNING id`)
	r.await("the restart", 20*time.Second, func(p health.Process) bool { return p.PID != 0 && p.PID != before.PID })
	t.Logf("restarted after %v", time.Since(begin))
	if got := r.commands(); got != "restart|completed|manual\n" {
		t.Errorf("commands: %s", got)
	}
	if owner := r.sh(`stat -c %U /srv/rails/*`); strings.Contains(owner, "root") {
		t.Errorf("files of the database belong to %s", owner)
	}
	if got := r.sh(`xmrig-orchestrator why`); !strings.Contains(got, "running, healthy") {
		t.Errorf("why: %s", got)
	}
}
