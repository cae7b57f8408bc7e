//go:build lab

package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// Each state is entered and left, seen in the tables and in the status, and
// the right thing is done or left alone.
func TestLabStates(t *testing.T) {
	r := newRig(t, "")
	healthy := r.state("running")
	r.caused("running", "healthy")

	// A pool that is down: nothing is done, however long.
	r.control("busy=0.2 state=pool-down")
	r.caused("unhealthy", "pool-down")
	r.polls(10)
	if p := r.row(); p.PID != healthy.PID || p.State != "unhealthy" {
		t.Errorf("while the pool is down: %+v", p)
	}
	r.control("busy=0.2")
	r.caused("running", "healthy")

	// A dataset is rebuilt: no hashes, but work.
	r.control("busy=0.2 state=dataset")
	r.polls(4)
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if p := r.row(); p.PID != healthy.PID || p.Restarts != 0 {
		t.Errorf("after a dataset: %+v", p)
	}

	// A wedge: one restart, and it is over.
	r.healedByRestart("busy=0.2")
	r.control("busy=0 state=wedged")
	r.caused("unhealthy", "wedged")
	p := r.await("restart", func(p health.Process) bool { return p.Restarts == 1 })
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
	if !strings.HasPrefix(p.LastError, "xmrig.service: signal 9") {
		t.Errorf("after a kill: %+v", p)
	}
	p = r.state("running")
	if p.Restarts != 2 {
		t.Errorf("after a kill: %+v", p)
	}

	// The commands of people.
	r.holdStop()
	r.sh(`xmrig-orchestrator enqueue stop --reason test`)
	r.state("stopping")
	r.release()
	r.state("stopped")
	r.caused("stopped", "stopped")
	r.sh(`xmrig-orchestrator enqueue start --reason test --wait=5m`)
	r.state("starting")
	r.state("running")
	t.Logf("shortest time from enqueue to claim: %s s", r.sqlite(
		`SELECT min((julianday(processed_at) - julianday(created_at)) * 86400) FROM xmrig_commands WHERE reason = 'test'`))

	// No valid configuration: systemd gives up.
	r.sh(`cp /etc/xmrig/config.json /run/config; echo '{' >/etc/xmrig/config.json; systemctl restart xmrig || :`)
	p = r.state("crashed")
	if !strings.Contains(p.LastError, "no valid configuration; xmrig: ") {
		t.Errorf("without a configuration: %+v", p)
	}
	r.caused("crashed", "config")
	r.sh(`cp /run/config /etc/xmrig/config.json`)
	r.sh(`xmrig-orchestrator enqueue start --reason repaired --wait=5m`)
	r.state("running")
	if got := r.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
	t.Logf("why:\n%s", r.sh(`xmrig-orchestrator why`))

	// A command wakes the agent: it does not wait for the next poll.
	r.sh(`sed -i 's/"interval": *"1s"/"interval": "1h"/' /etc/xmrig/orchestrator.json
grep -q '"1h"' /etc/xmrig/orchestrator.json && systemctl restart xmrig-orchestrator`)
	r.sh(`xmrig-orchestrator enqueue stop --reason "wake up"`)
	r.until(`xmrig-orchestrator history | grep -E 'stop completed.*wake up'`)
}

// holdStop makes each stop of the miner wait for release.
func (r *rig) holdStop() {
	r.t.Helper()
	r.sh(`mkdir -p /run/systemd/system/xmrig.service.d
printf '[Service]\nTimeoutStopSec=infinity\nExecStop=/bin/sh -c "until [ -e /run/released ]; do sleep 0.1; done"\n' \
	>/run/systemd/system/xmrig.service.d/hold.conf
systemctl daemon-reload`)
}

// release lets the stop that is held, and all later ones, go on.
func (r *rig) release() {
	r.t.Helper()
	r.sh(`touch /run/released`)
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
	const stopped = "stop|completed|xmrig-orchestrator: crash-loop\n"
	// The unit is down before the command is done, and the row behind both.
	labtest.Wait(t, func() bool { return r.commands() == stopped }, func() string { return "commands: " + r.commands() })
	r.await("the row after the stop", func(p health.Process) bool { return p.PID == 0 })
	r.polls(12) // longer than RestartSec
	if q := r.row(); q.Restarts != p.Restarts || q.State != "crashed" {
		t.Errorf("it goes on: %+v", q)
	}
	r.control("busy=0.2")
	r.sh(`xmrig-orchestrator enqueue start --reason repaired --wait=5m`)
	r.state("running")
	r.caused("running", "healthy")
}

// A port that is taken at the miner's start costs it its API for good: one
// restart, not at once, with proof that it mines.
func TestLabPortTaken(t *testing.T) {
	r := newRig(t, "")
	r.control("busy=0.2 threads=4") // enough to be seen to work on a busy machine
	r.sh(`systemctl stop xmrig
		systemd-run -q --unit=squatter systemd-socket-activate -l 127.0.0.1:8080 sleep infinity`)
	r.until(`grep -q ":1F90 .* 0A " /proc/net/tcp`)
	r.sh(`systemctl start xmrig`)
	r.until(`journalctl --namespace=xmrig --sync; journalctl -q --namespace=xmrig -u xmrig -o cat | grep -F 'HTTP API server failed to start'`)
	r.sh(`systemctl stop squatter`)
	r.caused("unhealthy", "api-dead")
	p := r.await("restart", func(p health.Process) bool { return p.Restarts == 1 })
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
	r.sh(`xmrig-orchestrator enqueue stop --reason "new fans" --wait=5m`)
	r.state("stopped")
	reboot := func() {
		t.Helper()
		if err := r.lab.Host(name).Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.control("busy=0.2")
		r.until(`systemctl is-active xmrig-orchestrator`)
	}
	reboot()
	now := time.Now()
	r.await("poll after the reboot", func(p health.Process) bool { return p.CheckedAt.After(now) })
	if p := r.row(); p.State != "stopped" || p.PID != 0 {
		t.Errorf("after a reboot: %+v", p)
	}
	plan := r.xmrfleet("plan")
	for _, want := range []string{"service xmrig", "start at boot", "start"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan lacks %q:\n%s", want, plan)
		}
	}
	r.sh(`xmrig-orchestrator enqueue start --reason "fans are in" --wait=5m`)
	r.state("running")
	if plan := r.xmrfleet("plan", "--detailed-exitcode"); strings.Contains(plan, "~") {
		t.Errorf("a started host has a plan:\n%s", plan)
	}
	before := r.row()
	reboot()
	p := r.await("running after the reboot", func(p health.Process) bool {
		return p.State == "running" && !p.StartedAt.Equal(before.StartedAt)
	})
	if p.Restarts != before.Restarts {
		t.Errorf("a reboot counts as a restart: %+v", p)
	}

	// By hand: it stays stopped, and the agent leaves it alone.
	r.sh(`systemctl stop xmrig`)
	r.state("stopped")
	r.polls(3)
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
	before := r.row()
	r.sh(`mkdir -p /run/systemd/system/xmrig-orchestrator.service.d
printf '[Service]\nTimeoutStartSec=infinity\nExecStartPre=/bin/sh -c "until [ -e /run/agent ]; do sleep 0.1; done"\n' \
	>/run/systemd/system/xmrig-orchestrator.service.d/hold.conf`)
	r.holdStop()
	const deactivating = `[ "$(systemctl show -p ActiveState --value xmrig)" = deactivating ]`
	for _, c := range []struct{ action, midst, done string }{
		{"restart", deactivating, `systemctl is-active xmrig && [ "$(systemctl show -p MainPID --value xmrig)" != "$1" ]`},
		{"stop", deactivating, `[ "$(systemctl show -p ActiveState --value xmrig)" = inactive ]`},
		{"start", `xmrig-orchestrator history | grep -E 'start (processing|completed)'`, `true`},
	} {
		r.sh(`rm -f /run/released /run/agent`)
		pid := strings.TrimSpace(r.sh(`systemctl show -p MainPID --value xmrig`))
		r.sh(`xmrig-orchestrator enqueue "$1" --reason test`, c.action)
		r.until(c.midst)
		r.sh(`systemctl kill -s KILL xmrig-orchestrator`)
		r.release()
		r.until(c.done, pid) // by systemd, while there is no agent
		r.sh(`touch /run/agent`)
		r.until(`xmrig-orchestrator history | grep command | tail -1 | grep completed`)
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
			script.WriteString(".timeout 300000\n")
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
	r.until(`! xmrig-orchestrator history | grep -qE 'pending|processing'`)
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
	out, err := locker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := locker.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, ".timeout 300000\nBEGIN IMMEDIATE;\nSELECT 'locked';")
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("sqlite3: %v %q", err, line)
	}
	release := time.Now().Add(time.Minute)
	pid := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`)
	r.sh(`systemctl kill -s KILL xmrig`)
	r.until(`[ "$(systemctl show -p NRestarts --value xmrig)" = 1 ] && systemctl is-active xmrig`)
	time.Sleep(time.Until(release))
	in.Close()
	locker.Wait()
	p := r.await("after the lock", func(p health.Process) bool { return p.CheckedAt.After(release) })
	if p.Restarts != before.Restarts+1 {
		t.Errorf("restarts before %d, after %d", before.Restarts, p.Restarts)
	}

	r.sh(`rm -f "$1" "$1-wal" "$1-shm"`, r.path)
	deleted := time.Now()
	r.await("a new database", func(p health.Process) bool { return p.CheckedAt.After(deleted) })
	r.sh(`xmrig-orchestrator enqueue restart --reason "still there?" --wait=5m`)
	if got := r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`); got != pid {
		t.Errorf("the agent is another one: %s, %s", pid, got)
	}
	if got := r.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
	if kB := r.resident(); kB > 10_000_000/1024 {
		t.Errorf("after all of it, VmRSS is %d kB", kB)
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
	r.await("the restart", func(p health.Process) bool { return p.PID != 0 && p.PID != before.PID })
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
