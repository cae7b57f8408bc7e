package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
	"xmrfleet/modules/agent"
)

// Without its database the agent acts all the same, and counts what it did
// when the database is back.
func TestActsWithoutDatabase(t *testing.T) {
	h := newHashingHost(t)
	h.Settings.RestartPolicy = "immediate"
	h.Settings.Interval = agent.Duration(100 * time.Millisecond)
	h.Settings.Database = filepath.Join(h.Dir, "missing", "production.sqlite3")
	h.Configure()
	h.Says("logged-in-no-job", "0.0,0.0,0.0")
	h.start(false)
	restarts := 0
	h.Until(func() bool {
		restarts += strings.Count(h.Calls(), "restart -- xmrig.service\n")
		return restarts >= 2
	}, func() string { return "it did not act" })
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	h.Polled("hashing")
	h.Polled("hashing")
	restarts += strings.Count(h.Calls(), "restart -- xmrig.service\n")
	if err := os.Mkdir(filepath.Dir(h.Settings.Database), 0o755); err != nil {
		t.Fatal(err)
	}
	h.Migrate()
	p := h.Await("back", func(p health.Process) bool { return p.State == "running" })
	if p.Restarts != restarts {
		t.Errorf("%d restarts are counted, %d were made", p.Restarts, restarts)
	}
}

// An agent that is stopped in the middle of a command leaves it to the next
// one.
func TestInterrupted(t *testing.T) {
	h := newHashingHost(t)
	h.Write("then", hosttest.Forever)
	log, stop := h.start(true)
	h.AwaitPoll("first")
	h.mustEnqueue("stop", "x")
	h.Await("stopping", func(p health.Process) bool { return p.State == "stopping" })
	calls := ""
	h.Until(func() bool { calls = h.Calls(); return calls != "" },
		func() string { return "systemctl is not told to stop" })
	stop()
	if got := log.String(); !strings.Contains(got, `error="systemctl stop xmrig.service: context canceled"`) {
		t.Errorf("systemctl was waited for:\n%s", got)
	}
	if got := h.SQLite(`SELECT status FROM xmrig_commands`); got != "processing\n" {
		t.Errorf("it is %s", got)
	}
	h.Write("then", "")
	h.start(true)
	if got := h.Ending(1); got != "stop|completed|" {
		t.Errorf("the next agent: %s", got)
	}
	if calls += h.Calls(); calls != "stop -- xmrig.service\nstop -- xmrig.service\n" {
		t.Errorf("calls are %s", calls)
	}
}

// The outcome of a command is recorded although the database was locked when the
// command ended.
func TestDatabaseLockedMeanwhile(t *testing.T) {
	h := newHashingHost(t)
	h.Write("then", hosttest.UntilGo)
	log, _ := h.start(true)
	h.AwaitPoll("first")
	h.mustEnqueue("restart", "x")
	h.Await("restarting", func(p health.Process) bool { return p.State == "restarting" })
	release := h.Locked("BEGIN IMMEDIATE")
	h.Write("go", "")
	h.Logged(log, "it is locked") // the outcome could not be saved
	release()
	if got := h.Ending(1); got != "restart|completed|" {
		t.Errorf("it is %s", got)
	}
	if got := strings.Count(h.Calls(), "restart"); got != 1 {
		t.Errorf("%d restarts", got)
	}
}

// A full disk does not stop the agent. What it could not record is recorded when
// there is room.
func TestFullDisk(t *testing.T) {
	h := newHashingHost(t)
	dir := h.Mount("disk", "-t", "tmpfs", "-o", "size=1m", "xmrfleet-test")
	h.Settings.Database = filepath.Join(dir, "own.sqlite3")
	h.Configure()
	log, _ := h.start(true)
	h.AwaitPoll("first")
	h.mustEnqueue("restart", "before")
	h.Ending(1)
	empty := h.Fill(dir)
	h.Logged(log, "level=ERROR msg=database")
	h.Polled("full")
	h.Ends("activating", "auto-restart", "core-dump", 3, 6, 0)
	h.Polled("crash")
	h.Polled("crash")
	h.Runs(11, 3)
	h.Polled("restarted")
	empty()
	p := h.Await("room", func(p health.Process) bool { return p.PID == 11 })
	if p.Restarts != 3 {
		t.Errorf("%d restarts are counted", p.Restarts)
	}
	if got := h.SQLite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
}

// A disk that is full when the agent starts does not keep it from its work.
func TestFullDiskAtStart(t *testing.T) {
	h := newHashingHost(t)
	dir := h.Mount("disk", "-t", "tmpfs", "-o", "size=1m", "xmrfleet-test")
	h.Settings.Database = filepath.Join(dir, "own.sqlite3")
	h.Configure()
	empty := h.Fill(dir)
	log, _ := h.start(true)
	h.Logged(log, "level=ERROR msg=database")
	h.Polled("full")
	if err := h.enqueue("restart", "full"); err == nil {
		t.Error("a command was enqueued where there is no room")
	}
	empty()
	h.AwaitPoll("room")
	h.Logged(log, "database works again")
	h.mustEnqueue("restart", "room")
	if got := h.Ending(1); got != "restart|completed|" {
		t.Error(got)
	}
}

// The agent ends when the directory becomes read-only, as one does that is made
// after its start: systemd then starts an agent that can write to it. It does not
// end because of a directory that was read-only from the start.
func TestDirectoryBecomesReadOnly(t *testing.T) {
	h := newHashingHost(t)
	base := h.Mount("base", "-t", "tmpfs", "xmrfleet-test")
	view := h.Mount("view", "--bind", base)
	remount := func(mode string) {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "remount,bind,"+mode, view).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v %s", err, out)
		}
	}
	made := filepath.Join(base, "rails")
	h.Settings.Database = filepath.Join(view, "rails", "production.sqlite3")
	h.Configure()
	steps := []struct {
		before string
		after  func() error
	}{
		{"missing", func() error { return os.Mkdir(made, 0o755) }},
		{"read-only", func() error {
			h.Polled("read-only still")
			if err := os.Remove(made); err != nil {
				return err
			}
			h.Polled("removed")
			return os.Mkdir(made, 0o755)
		}},
		{"writable", func() error { remount("ro"); return nil }},
	}
	for _, step := range steps {
		remount(map[bool]string{true: "rw", false: "ro"}[step.before == "writable"])
		ended := make(chan error, 1)
		go func() { ended <- Run(t.Context(), h.config(t.Output())) }()
		h.Polled(step.before)
		if err := step.after(); err != nil {
			t.Fatal(err)
		}
		want := "directory " + filepath.Dir(h.Settings.Database) + ": it has become read-only, as one does that is made after the agent's start; the next start may write to it"
		select {
		case err := <-ended:
			if err == nil || err.Error() != want {
				t.Errorf("%s: ended with %v, want %s", step.before, err, want)
			}
		case <-time.After(hosttest.Patience):
			t.Fatalf("%s: it does not end", step.before)
		}
	}
}

func TestRetention(t *testing.T) {
	h := newHashingHost(t)
	_, stop := h.start(true)
	h.AwaitPoll("first")
	stop()
	old, young := time.Now().UTC().Add(-25*time.Hour), time.Now().UTC().Add(-23*time.Hour)
	h.SQLite(fmt.Sprintf(`INSERT INTO xmrig_commands (hostname, action, status, created_at, updated_at) VALUES
  ('mini-1', 'start', 'completed', '%[1]s', '%[1]s'), ('mini-1', 'start', 'failed', '%[2]s', '%[2]s'),
  ('mini-1', 'start', 'completed', '%[3]s', '%[3]s'), ('mini-1', 'start', 'failed', '%[4]s', '%[4]s')`,
		old.Format(time.RFC3339), old.Format("2006-01-02 15:04:05.000000"),
		young.Format(time.RFC3339), young.Format("2006-01-02 15:04:05.000000")))
	h.start(true)
	left := ""
	h.Until(func() bool { left = h.SQLite(`SELECT id FROM xmrig_commands`); return left == "3\n4\n" },
		func() string { return "left are " + left })
}

// A new agent goes on with what the one before it knew.
func TestMemory(t *testing.T) {
	for _, own := range []bool{true, false} {
		h := newHashingHost(t)
		if !own {
			h.Migrate()
		}
		_, stop := h.start(own)
		h.AwaitPoll("first")
		h.Says("pool-lost", "")
		h.Await("pool lost", func(p health.Process) bool { return p.State == "unhealthy" })
		h.AwaitDecision(health.CausePoolDown)
		h.Polled("pool lost") // the poll that saved the decision has saved the memory
		stop()
		h.Runs(10, 4)
		_, stop = h.start(own)
		p := h.Await("second", func(p health.Process) bool { return p.Restarts == 4 })
		if p.State != "unhealthy" {
			t.Errorf("the row is %+v", p)
		}
		var causes []string
		for _, d := range h.Decisions(10) {
			causes = append(causes, d.Cause)
		}
		if got := strings.Join(causes, " "); got != "healthy pool-down" {
			t.Errorf("own %v: decisions are %s", own, got)
		}
		stop()
	}
}
