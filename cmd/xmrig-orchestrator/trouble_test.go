package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// Without its database the agent acts all the same, and counts what it did
// when the database is back.
func TestActsWithoutDatabase(t *testing.T) {
	h := sound(t)
	h.settings.RestartPolicy = "immediate"
	h.settings.Interval = agent.Duration(100 * time.Millisecond)
	h.settings.Database = filepath.Join(h.dir, "missing", "production.sqlite3")
	h.configure()
	h.says("logged-in-no-job", "0.0,0.0,0.0")
	h.start(false)
	restarts := 0
	for end := time.Now().Add(patient); restarts < 2 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		restarts += strings.Count(h.calls(), "restart -- xmrig.service\n")
	}
	if restarts < 2 {
		t.Fatal("it did not act")
	}
	h.says("logged-in-no-job", "4012.5,4013.1,4000.9")
	h.polled("hashing")
	h.polled("hashing")
	restarts += strings.Count(h.calls(), "restart -- xmrig.service\n")
	if err := os.Mkdir(filepath.Dir(h.settings.Database), 0o755); err != nil {
		t.Fatal(err)
	}
	h.sqlite("CREATE TABLE t (x)")
	p := h.await("back", func(p health.Process) bool { return p.State == "running" })
	if p.Restarts != restarts {
		t.Errorf("%d restarts are counted, %d were made", p.Restarts, restarts)
	}
}

// An agent that is stopped in the middle of a command leaves it to the next
// one.
func TestInterrupted(t *testing.T) {
	h := sound(t)
	h.write("then", "sleep 30 & wait")
	_, stop := h.start(true)
	h.awaitPoll("first")
	if _, _, err := h.command("enqueue", "stop", "--reason", "x"); err != nil {
		t.Fatal(err)
	}
	h.await("stopping", func(p health.Process) bool { return p.State == "stopping" })
	calls := ""
	for end := time.Now().Add(patient); calls == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		calls = h.calls()
	}
	stop()
	if got := h.sqlite(`SELECT status FROM xmrig_commands`); got != "processing\n" {
		t.Errorf("it is %s", got)
	}
	h.write("then", "")
	h.start(true)
	if got := h.ending(1); got != "stop|completed|" {
		t.Errorf("the next agent: %s", got)
	}
	if calls += h.calls(); calls != "stop -- xmrig.service\nstop -- xmrig.service\n" {
		t.Errorf("calls are %s", calls)
	}
}

// What happens to the database in the middle of a command does not lose its
// end.
func TestDatabaseLockedMeanwhile(t *testing.T) {
	h := sound(t)
	h.write("then", `while [ ! -e "$dir/go" ]; do sleep 0.02; done`)
	h.start(true)
	h.awaitPoll("first")
	if _, _, err := h.command("enqueue", "restart", "--reason", "x"); err != nil {
		t.Fatal(err)
	}
	h.await("restarting", func(p health.Process) bool { return p.State == "restarting" })
	release := h.locked("BEGIN IMMEDIATE")
	h.write("go", "")
	time.Sleep(3 * time.Second) // longer than a write waits
	release()
	if got := h.ending(1); got != "restart|completed|" {
		t.Errorf("it is %s", got)
	}
	if got := strings.Count(h.calls(), "restart"); got != 1 {
		t.Errorf("%d restarts", got)
	}
}

// A full disk stops nothing, and what could not be recorded is, once there is
// room.
func TestFullDisk(t *testing.T) {
	h := sound(t)
	dir := h.mount("disk", "-t", "tmpfs", "-o", "size=1m", "xmrfleet-test")
	h.settings.Database = filepath.Join(dir, "own.sqlite3")
	h.configure()
	log, _ := h.start(true)
	h.awaitPoll("first")
	if _, _, err := h.command("enqueue", "restart", "--reason", "before"); err != nil {
		t.Fatal(err)
	}
	h.ending(1)
	empty := h.fill(dir)
	h.logged(log, "level=ERROR msg=database")
	h.polled("full")
	h.ends("activating", "auto-restart", "core-dump", 3, 6, 0)
	h.polled("crash")
	h.polled("crash")
	h.runs(11, 3)
	h.polled("restarted")
	empty()
	p := h.await("room", func(p health.Process) bool { return p.PID == 11 })
	if p.Restarts != 3 {
		t.Errorf("%d restarts are counted", p.Restarts)
	}
	if got := h.sqlite("PRAGMA integrity_check"); got != "ok\n" {
		t.Error(got)
	}
}

// Nor does one that is full when the agent starts.
func TestFullDiskAtStart(t *testing.T) {
	h := sound(t)
	dir := h.mount("disk", "-t", "tmpfs", "-o", "size=1m", "xmrfleet-test")
	h.settings.Database = filepath.Join(dir, "own.sqlite3")
	h.configure()
	empty := h.fill(dir)
	log, _ := h.start(true)
	h.logged(log, "level=ERROR msg=database")
	h.polled("full")
	if _, _, err := h.command("enqueue", "restart", "--reason", "full"); err == nil {
		t.Error("a command was enqueued where there is no room")
	}
	empty()
	h.awaitPoll("room")
	h.logged(log, "database works again")
	if _, _, err := h.command("enqueue", "restart", "--reason", "room", "--wait="+patient.String()); err != nil {
		t.Error(err)
	}
}

// A directory that becomes read-only, as one does that is made late, ends the
// agent, for systemd to start one that can write to it. One that always was
// does not: another start would gain nothing.
func TestDirectoryBecomesReadOnly(t *testing.T) {
	h := sound(t)
	base := h.mount("base", "-t", "tmpfs", "xmrfleet-test")
	view := h.mount("view", "--bind", base)
	remount := func(mode string) {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "remount,bind,"+mode, view).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v %s", err, out)
		}
	}
	made := filepath.Join(base, "rails")
	h.settings.Database = filepath.Join(view, "rails", "production.sqlite3")
	h.configure()
	steps := []struct {
		before string
		after  func() error
	}{
		{"missing", func() error { return os.Mkdir(made, 0o755) }},
		{"read-only", func() error {
			h.polled("read-only still")
			if err := os.Remove(made); err != nil {
				return err
			}
			h.polled("removed")
			return os.Mkdir(made, 0o755)
		}},
		{"writable", func() error { remount("ro"); return nil }},
	}
	for _, step := range steps {
		remount(map[bool]string{true: "rw", false: "ro"}[step.before == "writable"])
		m := h.main()
		m.Stderr = t.Output()
		ended := make(chan error, 1)
		go func() { ended <- m.Run(t.Context(), []string{"--settings", filepath.Join(h.dir, "orchestrator.json")}) }()
		h.polled(step.before)
		if err := step.after(); err != nil {
			t.Fatal(err)
		}
		want := "directory " + filepath.Dir(h.settings.Database) + ": it has become read-only, as one does that is made after the agent's start; the next start may write to it"
		select {
		case err := <-ended:
			if err == nil || err.Error() != want {
				t.Errorf("%s: ended with %v, want %s", step.before, err, want)
			}
		case <-time.After(patient):
			t.Fatalf("%s: it does not end", step.before)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRetention(t *testing.T) {
	h := sound(t)
	_, stop := h.start(true)
	h.awaitPoll("first")
	stop()
	old, young := time.Now().UTC().Add(-25*time.Hour), time.Now().UTC().Add(-23*time.Hour)
	h.sqlite(fmt.Sprintf(`INSERT INTO xmrig_commands (hostname, action, status, created_at, updated_at) VALUES
  ('mini-1', 'start', 'completed', '%[1]s', '%[1]s'), ('mini-1', 'start', 'failed', '%[2]s', '%[2]s'),
  ('mini-1', 'start', 'completed', '%[3]s', '%[3]s'), ('mini-1', 'start', 'failed', '%[4]s', '%[4]s')`,
		old.Format(time.RFC3339), old.Format("2006-01-02 15:04:05.000000"),
		young.Format(time.RFC3339), young.Format("2006-01-02 15:04:05.000000")))
	h.start(true)
	for end := time.Now().Add(patient); ; time.Sleep(10 * time.Millisecond) {
		got := h.sqlite(`SELECT id FROM xmrig_commands`)
		if got == "3\n4\n" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("left are %s", got)
		}
	}
}

// A new agent goes on with what the one before it knew.
func TestMemory(t *testing.T) {
	for _, own := range []bool{true, false} {
		h := sound(t)
		if !own {
			h.sqlite("CREATE TABLE t (x)")
		}
		_, stop := h.start(own)
		h.awaitPoll("first")
		h.says("pool-lost", "")
		h.await("pool lost", func(p health.Process) bool { return p.State == "unhealthy" })
		stop()
		h.runs(10, 4)
		h.start(own)
		p := h.await("second", func(p health.Process) bool { return p.Restarts == 4 })
		if p.State != "unhealthy" {
			t.Errorf("the row is %+v", p)
		}
		db, err := store.OpenReadOnly(t.Context(), h.main().Own)
		if err != nil {
			t.Fatal(err)
		}
		decisions, err := db.Decisions(t.Context(), "mini-1", 10)
		db.Close()
		var causes []string
		for _, d := range decisions {
			causes = append(causes, d.Cause)
		}
		if got := strings.Join(causes, " "); got != "healthy pool-down" || err != nil {
			t.Errorf("own %v: decisions are %s, %v", own, got, err)
		}
	}
}
