package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// seldom is an interval in which no test's host is polled twice.
const seldom = agent.Duration(time.Hour)

// A command reaches the daemon without a poll, however another program gives it
// and whichever journal mode the database has.
func TestCommandBetweenPolls(t *testing.T) {
	for _, own := range []bool{true, false} {
		h := newHashingHost(t)
		h.Settings.Interval = seldom
		h.Configure()
		if !own {
			h.SQLite("PRAGMA journal_mode = DELETE")
			h.Migrate()
		}
		_, stop := h.start(own)
		h.AwaitPoll("first")
		id := int64(0)
		for _, way := range []struct {
			name string
			give func()
		}{
			{"enqueued", func() { h.mustEnqueue("restart", "now") }},
			{"inserted", func() {
				h.SQLite(`INSERT INTO "xmrig_commands" ("hostname", "action", "status", "reason", "result", "processed_at", "error_message", "created_at", "updated_at")
VALUES ('mini-1', 'restart', 'pending', 'manual', NULL, NULL, NULL, datetime('now'), datetime('now'))`)
			}},
		} {
			for range 3 {
				id++
				way.give()
				if got := h.Ending(id); got != "restart|completed|" {
					t.Errorf("own %v: %s command: %s", own, way.name, got)
				}
			}
		}
		stop()
	}
}

// An unknown action fails, whatever is in it, and reaches no program.
func TestUnknownAction(t *testing.T) {
	h := newHashingHost(t)
	h.start(true)
	h.AwaitPoll("first")
	h.SQLite("INSERT INTO xmrig_commands (hostname, action, created_at, updated_at) VALUES ('mini-1', 'stop; touch " + h.Dir + "/calls', '', ''), ('mini-1', 'kill', '', '')")
	if got := h.Ending(1); got != "stop; touch "+h.Dir+"/calls|failed|Unknown action: stop; touch "+h.Dir+"/calls" {
		t.Errorf("the first: %s", got)
	}
	h.Ending(2)
	if got := h.Calls(); got != "" {
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
		h.Settings.Desired = tt.desired
		h.Configure()
		h.Write("unit", fmt.Sprintf(unit, "inactive", tt.file))
		_, stop := h.start(true)
		h.Await("first", func(p health.Process) bool { return p.State == "stopped" })
		h.mustEnqueue(tt.action, "x")
		if got := h.Ending(1); got != tt.action+"|completed|" {
			t.Error(got)
		}
		if got := strings.ReplaceAll(h.Calls(), " -- xmrig.service", ""); got != tt.calls {
			t.Errorf("%+v:\n%s", tt, got)
		}
		stop()
	}
}

// While a command runs, the row says so, and has no figures of a process that is
// about to be replaced.
func TestUnderWay(t *testing.T) {
	for action, state := range map[string]string{"start": "starting", "stop": "stopping", "restart": "restarting"} {
		h := newHashingHost(t)
		h.Write("then", hosttest.UntilGo)
		_, stop := h.start(true)
		h.AwaitPoll("first")
		h.mustEnqueue(action, "x")
		p := h.Await(action, func(p health.Process) bool { return p.State == state })
		if figures := p.Hashrate != nil && p.Accepted != nil && p.Rejected != nil && p.Snapshot != nil; figures != (action == "stop") {
			t.Errorf("%s: the row is %+v", action, p)
		}
		h.Write("go", "")
		h.Await("after "+action, func(p health.Process) bool { return p.State == "running" })
		stop()
	}
}

// Nothing is done while an apply holds the host's lock.
func TestLock(t *testing.T) {
	h := newHashingHost(t)
	lock, err := os.OpenFile(filepath.Join(h.Dir, "run", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	h.Settings.RestartPolicy = "immediate" // so that it wants to act itself
	h.Settings.Interval = agent.Duration(100 * time.Millisecond)
	h.Configure()
	h.Says("logged-in-no-job", "0.0,0.0,0.0")
	log, _ := h.start(true)
	h.AwaitPoll("first")
	h.mustEnqueue("stop", "x")
	h.Polled("locked")
	h.Polled("locked still")
	if got := h.Calls(); got != "" {
		t.Errorf("under the lock of another: %s", got)
	}
	if got := h.SQLite(`SELECT count(*), status FROM xmrig_commands GROUP BY status`); got != "1|pending\n" {
		t.Errorf("under the lock of another: %s", got)
	}
	h.Ends("inactive", "dead", "success", 1, 0, 0)
	lock.Close()
	if got := h.Ending(1); got != "stop|completed|" {
		t.Errorf("after the release: %s", got)
	}
	if n := strings.Count(log.String(), "commands wait"); n != 1 {
		t.Errorf("%d lines of it in the log:\n%s", n, log)
	}
}

// The agent's own restarts go through the queue, are counted, and stop when a
// person stops the miner.
func TestOwnRestart(t *testing.T) {
	h := newHashingHost(t)
	h.Settings.RestartPolicy = "immediate"
	h.Settings.Interval = agent.Duration(200 * time.Millisecond)
	h.Configure()
	h.Write("log", "[2026-11-22 23:10:00.000]  net      connect error: \"timeout\"\n")
	h.start(true)
	h.AwaitPoll("first")
	h.Says("logged-in-no-job", "0.0,0.0,0.0")
	p := h.Await("restarts", func(p health.Process) bool { return p.Restarts >= 2 })
	if !strings.HasSuffix(p.LastError, `; xmrig: net connect error: "timeout"`) || p.Errors < p.Restarts {
		t.Errorf("the row is %+v", p)
	}
	h.mustEnqueue("stop", "enough")
	h.Until(func() bool {
		return h.SQLite(`SELECT status FROM xmrig_commands WHERE action = 'stop'`) == "completed\n"
	}, func() string { return "the stop is not completed" })
	h.Ends("inactive", "dead", "success", 1, 0, 0)
	p = h.Await("stop", func(p health.Process) bool { return p.State == "stopped" })
	h.Polled("stopped")
	h.Polled("stopped")
	if got := h.Row(); got.Restarts != p.Restarts {
		t.Errorf("restarts went on: %d, %d", p.Restarts, got.Restarts)
	}
	got := h.SQLite(`SELECT DISTINCT action, status, reason FROM xmrig_commands WHERE status = 'completed' ORDER BY id`)
	if want := "restart|completed|xmrig-orchestrator: " + "no-job\nstop|completed|enough\n"; got != want {
		t.Errorf("queue is\n%s\nwant\n%s", got, want)
	}
	calls := h.Calls()
	if n := strings.Count(calls, "restart -- xmrig.service\n"); n != p.Restarts {
		t.Errorf("%d restarts are counted, %d were made", p.Restarts, n)
	}
}

// TestOvertaken drops what the agent had in its queue for the process before.
func TestOvertaken(t *testing.T) {
	now := time.Date(2026, 11, 22, 23, 10, 0, 0, time.UTC)
	own, given := store.OwnReason("wedged"), now.Add(-time.Minute)
	for _, test := range []struct {
		c    store.Command
		age  time.Duration
		want bool
	}{
		{store.Command{Reason: own, Created: given}, time.Hour, false},
		{store.Command{Reason: own, Created: given}, 30 * time.Second, true},
		{store.Command{Reason: own}, 30 * time.Second, false}, // not from the queue
		{store.Command{Reason: "new kernel", Created: given}, 30 * time.Second, false},
	} {
		if got := overtaken(test.c, systemd.Unit{PID: 7, Age: test.age}, now); got != test.want {
			t.Errorf("%+v, a process of %v: %t", test.c, test.age, got)
		}
	}
}
