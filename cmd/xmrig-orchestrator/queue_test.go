package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

// command runs the program's other commands beside the agent.
func (h *host) command(args ...string) (stdout, stderr string, err error) {
	h.t.Helper()
	var out, errs bytes.Buffer
	m := h.main()
	m.Stdout, m.Stderr = &out, &errs
	err = m.Run(h.t.Context(), append(args, "--settings", filepath.Join(h.dir, "orchestrator.json")))
	if cerr := m.Close(); cerr != nil {
		h.t.Error(cerr)
	}
	return out.String(), errs.String(), err
}

// calls are what systemctl was told since the last time, but for show.
func (h *host) calls() string {
	h.t.Helper()
	file := filepath.Join(h.dir, "calls")
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(b)
}

// sqlite feeds a script to sqlite3 and returns its output.
func (h *host) sqlite(script string) string {
	h.t.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		h.t.Skip("sqlite3 is not installed")
	}
	cmd := exec.Command("sqlite3", "-bail", h.settings.Database)
	cmd.Stdin = strings.NewReader(".timeout 10000\n" + script + ";\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("sqlite3 %s: %v %s", script, err, out)
	}
	return string(out)
}

// locked runs a transaction of another program until release.
func (h *host) locked(begin string) (release func()) {
	h.t.Helper()
	cmd := exec.Command("sqlite3", "-bail", h.settings.Database)
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Skip("sqlite3 is not installed")
	}
	release = sync.OnceFunc(func() { in.Close(); cmd.Wait() })
	h.t.Cleanup(release)
	fmt.Fprintf(in, ".timeout 20000\n%s;\n.print locked\n", begin)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		h.t.Fatalf("%s: %q, %v", begin, line, err)
	}
	return release
}

// ending waits until a command has ended, and shows it.
func (h *host) ending(id int) string {
	h.t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(10 * time.Millisecond) {
		row := strings.TrimSpace(h.sqlite(fmt.Sprintf(`SELECT action, status, COALESCE(result, error_message, '') FROM xmrig_commands WHERE id = %d`, id)))
		if strings.Contains(row, "|completed|") || strings.Contains(row, "|failed|") {
			return row
		}
		if time.Now().After(end) {
			h.t.Fatalf("command %d stays %s", id, row)
		}
	}
}

// sound is a host whose miner is sound.
func sound(t *testing.T) *host {
	h := newHost(t)
	h.runs(10, 0)
	h.says("logged-in-no-job", "4012.5,4013.1,4000.9")
	return h
}

// An hour between polls, so that nothing happens because of them.
const seldom = agent.Duration(time.Hour)

func TestEnqueue(t *testing.T) {
	h := sound(t)
	h.settings.Interval = seldom
	h.configure()
	log, _ := h.start(true)
	h.awaitPoll("first")

	out, stderr, err := h.command("enqueue", "restart", "--reason", "new pool", "--wait")
	if out != "command 1: restart is completed\n" || stderr != "" || err != nil {
		t.Errorf("restart: %q, %q, %v", out, stderr, err)
	}
	if got := h.calls(); got != "reset-failed -- xmrig.service\nrestart -- xmrig.service\n" {
		t.Errorf("restart calls\n%s", got)
	}
	h.write("then", `[ "$1" = reset-failed ] || { echo "Job for xmrig.service failed."; exit 1; }`)
	_, _, err = h.command("enqueue", "start", "--reason", "try", "--wait=10s")
	const failure = "command 2: start failed: systemctl start xmrig.service: exit status 1: Job for xmrig.service failed."
	if err == nil || err.Error() != failure || exitCode(err) != 1 {
		t.Errorf("start: %v, want %s", err, failure)
	}
	for _, want := range []string{
		`level=INFO msg="command begins" host=mini-1 command=1 action=restart reason="new pool"`,
		`level=INFO msg=systemctl host=mini-1 verb=restart unit=xmrig.service reason="new pool" output="" error=<nil>`,
		`level=INFO msg="command completed" host=mini-1 command=1 action=restart reason="new pool" output=""`,
		`level=INFO msg=systemctl host=mini-1 verb=start unit=xmrig.service reason=try output="Job for xmrig.service failed." error="systemctl start xmrig.service: exit status 1"`,
		`level=ERROR msg="command failed" host=mini-1 command=2 action=start reason=try error=`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not in the log: %s", want)
		}
	}

	for _, tt := range []struct {
		args string
		want string
		code int
	}{
		{"enqueue", "enqueue: one of start, stop, restart is missing: see xmrig-orchestrator --help", 64},
		{"enqueue stop", "enqueue stop: --reason is missing: see xmrig-orchestrator --help", 64},
		{"enqueue reboot --reason x", `enqueue: unknown action "reboot", want one of start, stop, restart`, 1},
		{"enqueue stop --reason x --wait=soon", `invalid boolean value "soon" for -wait: time: invalid duration "soon": see xmrig-orchestrator --help`, 64},
	} {
		if _, _, err := h.command(strings.Fields(tt.args)...); err == nil || err.Error() != tt.want || exitCode(err) != tt.code {
			t.Errorf("%s: %v, exit %d; want %s, exit %d", tt.args, err, exitCode(err), tt.want, tt.code)
		}
	}
	for range 3 {
		if _, _, err := h.command("enqueue", "stop", "--reason", "x"); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = h.command("enqueue", "stop", "--reason", "x")
	if want := "enqueue stop: rate limit exceeded: more than 5 commands within a minute"; err == nil || err.Error() != want || exitCode(err) != 1 {
		t.Errorf("the sixth: %v, want %s", err, want)
	}
}

func TestEnqueueWithoutAgent(t *testing.T) {
	h := sound(t)
	h.own = true
	out, stderr, err := h.command("enqueue", "start", "--reason", "later")
	if out != "command 1: start is pending\n" || stderr != "the agent does not run; it will do the command when it starts\n" || err != nil {
		t.Errorf("%q, %q, %v", out, stderr, err)
	}
	_, _, err = h.command("enqueue", "start", "--reason", "now", "--wait=300ms")
	if want := "command 2: still pending after 300ms"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	h.start(true)
	if got := h.ending(2); got != "start|completed|" {
		t.Errorf("the second: %s", got)
	}
	if got := h.ending(1); got != "start|failed|Superseded by new command" {
		t.Errorf("the first: %s", got)
	}
}

// A command reaches the agent without a poll: from enqueue within a second,
// from other programs within five. A busy machine may take longer now and then.
func TestLatency(t *testing.T) {
	for _, own := range []bool{true, false} {
		h := sound(t)
		h.settings.Interval = seldom
		h.configure()
		if !own {
			h.sqlite("PRAGMA journal_mode = DELETE; CREATE TABLE t (x)")
		}
		h.start(own)
		h.awaitPoll("first")
		id := 0
		for _, way := range []struct {
			name  string
			give  func()
			limit time.Duration
		}{
			{"enqueued", func() {
				if _, _, err := h.command("enqueue", "restart", "--reason", "now"); err != nil {
					t.Fatal(err)
				}
			}, time.Second},
			{"inserted", func() {
				h.sqlite(`INSERT INTO "xmrig_commands" ("hostname", "action", "status", "reason", "result", "processed_at", "error_message", "created_at", "updated_at")
VALUES ('mini-1', 'restart', 'pending', 'manual', NULL, NULL, NULL, '2026-11-22 23:10:00.123456', '2026-11-22 23:10:00.123456')`)
			}, 5 * time.Second},
		} {
			best := patient
			for range 3 {
				id++
				begin := time.Now()
				way.give()
				h.ending(id)
				best = min(best, time.Since(begin))
			}
			t.Logf("own %v: %s command done after %v at best", own, way.name, best)
			if best > way.limit {
				t.Errorf("own %v: %s command done after %v at best", own, way.name, best)
			}
		}
	}
}

// An unknown action fails, whatever is in it, and reaches no program.
func TestUnknownAction(t *testing.T) {
	h := sound(t)
	h.start(true)
	h.awaitPoll("first")
	h.sqlite("INSERT INTO xmrig_commands (hostname, action, created_at, updated_at) VALUES ('mini-1', 'stop; touch " + h.dir + "/calls', '', ''), ('mini-1', 'kill', '', '')")
	if got := h.ending(1); got != "stop; touch "+h.dir+"/calls|failed|Unknown action: stop; touch "+h.dir+"/calls" {
		t.Errorf("the first: %s", got)
	}
	h.ending(2)
	if got := h.calls(); got != "" {
		t.Errorf("systemctl was told %s", got)
	}
}

// A miner that a person stopped is not started at boot until a person starts
// it. One that fleet.hcl wants stopped is started for the time being.
func TestStopStays(t *testing.T) {
	const unit = `LoadState=loaded
ActiveState=%s
SubState=dead
UnitFileState=%s
Result=success
`
	tests := []struct {
		desired, file, action, calls string
	}{
		{"running", "enabled", "stop", "stop\ndisable\n"},
		{"running", "disabled", "stop", "stop\n"},
		{"running", "disabled", "start", "enable\nreset-failed\nstart\n"},
		{"running", "disabled", "restart", "enable\nreset-failed\nrestart\n"},
		{"running", "enabled", "start", "reset-failed\nstart\n"},
		{"stopped", "disabled", "start", "reset-failed\nstart\n"},
	}
	for _, tt := range tests {
		h := newHost(t)
		h.settings.Desired = tt.desired
		h.configure()
		h.write("unit", fmt.Sprintf(unit, "inactive", tt.file))
		h.start(true)
		h.await("first", func(p health.Process) bool { return p.State == "stopped" })
		if _, _, err := h.command("enqueue", tt.action, "--reason", "x", "--wait"); err != nil {
			t.Error(err)
		}
		if got := strings.ReplaceAll(h.calls(), " -- xmrig.service", ""); got != tt.calls {
			t.Errorf("%+v:\n%s", tt, got)
		}
	}
}

// While a command is done, the row says so.
func TestUnderWay(t *testing.T) {
	for action, state := range map[string]string{"start": "starting", "stop": "stopping", "restart": "restarting"} {
		h := sound(t)
		h.write("then", `while [ ! -e "$dir/go" ]; do sleep 0.02; done`)
		h.start(true)
		h.awaitPoll("first")
		if _, _, err := h.command("enqueue", action, "--reason", "x"); err != nil {
			t.Fatal(err)
		}
		h.await(action, func(p health.Process) bool { return p.State == state })
		h.write("go", "")
		h.await("after "+action, func(p health.Process) bool { return p.State == "running" })
	}
}

// Nothing is done while an apply holds the host's lock.
func TestLock(t *testing.T) {
	h := sound(t)
	lock, err := os.OpenFile(filepath.Join(h.dir, "run", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	h.settings.RestartPolicy = "immediate" // so that it wants to act itself
	h.settings.Interval = agent.Duration(100 * time.Millisecond)
	h.configure()
	h.says("logged-in-no-job", "0.0,0.0,0.0")
	log, _ := h.start(true)
	h.awaitPoll("first")
	if _, _, err := h.command("enqueue", "stop", "--reason", "x"); err != nil {
		t.Fatal(err)
	}
	h.polled("locked")
	h.polled("locked still")
	if got := h.calls(); got != "" {
		t.Errorf("under the lock of another: %s", got)
	}
	if got := h.sqlite(`SELECT count(*), status FROM xmrig_commands GROUP BY status`); got != "1|pending\n" {
		t.Errorf("under the lock of another: %s", got)
	}
	h.ends("inactive", "dead", "success", 1, 0, 0)
	lock.Close()
	if got := h.ending(1); got != "stop|completed|" {
		t.Errorf("after the release: %s", got)
	}
	if n := strings.Count(log.String(), "commands wait"); n != 1 {
		t.Errorf("%d lines of it in the log:\n%s", n, log)
	}
}

// The agent's own restarts go through the queue, are counted, and stop when a
// person stops the miner.
func TestOwnRestart(t *testing.T) {
	h := sound(t)
	h.settings.RestartPolicy = "immediate"
	h.settings.Interval = agent.Duration(200 * time.Millisecond)
	h.configure()
	h.write("log", "[2026-11-22 23:10:00.000]  net      connect error: \"timeout\"\n")
	h.start(true)
	h.awaitPoll("first")
	h.says("logged-in-no-job", "0.0,0.0,0.0")
	p := h.await("restarts", func(p health.Process) bool { return p.Restarts >= 2 })
	if !strings.HasSuffix(p.LastError, `; xmrig: net connect error: "timeout"`) || p.Errors < p.Restarts {
		t.Errorf("the row is %+v", p)
	}
	if _, _, err := h.command("enqueue", "stop", "--reason", "enough", "--wait"); err != nil {
		t.Error(err)
	}
	h.ends("inactive", "dead", "success", 1, 0, 0)
	p = h.await("stop", func(p health.Process) bool { return p.State == "stopped" })
	h.polled("stopped")
	h.polled("stopped")
	if got := h.row(); got.Restarts != p.Restarts {
		t.Errorf("restarts went on: %d, %d", p.Restarts, got.Restarts)
	}
	got := h.sqlite(`SELECT DISTINCT action, status, reason FROM xmrig_commands WHERE status = 'completed' ORDER BY id`)
	if want := "restart|completed|xmrig-orchestrator: " + "no-job\nstop|completed|enough\n"; got != want {
		t.Errorf("queue is\n%s\nwant\n%s", got, want)
	}
	calls := h.calls()
	if n := strings.Count(calls, "restart -- xmrig.service\n"); n != p.Restarts {
		t.Errorf("%d restarts are counted, %d were made", p.Restarts, n)
	}
}
