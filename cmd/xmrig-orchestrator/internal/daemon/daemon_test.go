package daemon

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

func TestRun(t *testing.T) {
	h := newHost(t)
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"hashing", func() { h.Runs(10, 0); h.Says("logged-in-no-job", "4012.5,4013.1,4000.9") }, `running 10 0 0 "" 4012.5 true`},
		{"pool lost", func() { h.Says("pool-lost", "") }, `unhealthy 10 1 0 "pool 127.0.0.1:33333: not connected" <nil> true`},
		{"API gone", func() { h.HangUp() }, `unhealthy 10 2 0 "API: truncated answer: no end of its header" <nil> false`},
		{"crash", func() { h.Ends("activating", "auto-restart", "core-dump", 3, 6, 0) }, `restarting 0 2 0 "xmrig.service: core-dump: signal 6" <nil> false`},
		{"restarted", func() { h.Says("logged-in-no-job", "100.0,null,null"); h.Polled("restarting"); h.Runs(11, 1) }, `running 11 3 1 "xmrig.service: core-dump: signal 6" 100 true`},
		{"failed", func() { h.Ends("failed", "failed", "exit-code", 1, 2, 1) }, `crashed 0 4 1 "xmrig.service: exit-code: exit status 2: no valid configuration" <nil> false`},
		{"stopped", func() { h.Ends("inactive", "dead", "success", 1, 0, 1) }, `stopped 0 4 1 "xmrig.service: exit-code: exit status 2: no valid configuration" <nil> false`},
	}
	steps[0].do()
	log, stop := h.start(true)
	for i, step := range steps {
		if i > 0 {
			step.do()
		}
		var got string
		h.Await(step.name, func(p health.Process) bool {
			rate := any(nil)
			if p.Hashrate != nil {
				rate = *p.Hashrate
			}
			problem := strings.Replace(p.LastError, "miner api "+h.Settings.API.Address, "API", 1)
			got = fmt.Sprintf("%s %d %d %d %q %v %v", p.State, p.PID, p.Errors, p.Restarts, problem, rate, p.Snapshot != nil)
			return got == step.want || t.Failed()
		})
	}
	stop()
	for _, want := range []string{
		`level=INFO msg="watching xmrig.service" version=0.1.0 hostname=mini-1`,
		`level=INFO msg="miner running"`,
		`level=WARN msg="miner unhealthy" cause=pool-down evidence="no hashrate yet in 1 poll, 0.00 cores in use; pool 127.0.0.1:33333, not connected" problem="pool 127.0.0.1:33333: not connected"`,
		`level=INFO msg="miner stopped"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not in the log: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%s", log)
	}
}

func TestRunContinues(t *testing.T) {
	h := newHost(t)
	h.Runs(10, 5)
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	_, stop := h.start(true)
	h.Await("first agent", func(p health.Process) bool { return p.PID == 10 })
	h.Runs(11, 6)
	h.Await("restart", func(p health.Process) bool { return p.Restarts == 1 })
	stop()
	h.Runs(12, 7)
	h.start(true)
	p := h.Await("second agent", func(p health.Process) bool { return p.PID == 12 })
	if p.Restarts != 2 || p.Errors != 2 {
		t.Errorf("restarts %d, errors %d; want 2, 2", p.Restarts, p.Errors)
	}
}

// listen is systemd's end of sd_notify(3).
func (h *host) listen(t *testing.T) (hear func() string) {
	t.Helper()
	socket := filepath.Join(h.Dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "100000")
	t.Setenv("WATCHDOG_PID", "")
	// The agent waits where nobody reads what it says: the kernel keeps ten
	// messages.
	heard := make(chan string, 100_000)
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			heard <- string(buf[:n])
		}
	}()
	return func() string {
		select {
		case text := <-heard:
			return text
		case <-time.After(hosttest.Patience):
			t.Fatal("nothing is heard")
			return ""
		}
	}
}

// systemd hears READY once there is a row, then WATCHDOG, at the end STOPPING.
func TestRunNotifies(t *testing.T) {
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "1.0,null,null")
	hear := h.listen(t)
	_, stop := h.start(true)
	if got := hear(); got != "READY=1\nSTATUS=watching xmrig.service" {
		t.Errorf("first %s", got)
	}
	if p := h.Row(); p.State != "running" {
		t.Errorf("when ready, the row is %+v", p)
	}
	for range 2 {
		if got := hear(); got != "WATCHDOG=1" {
			t.Errorf("then %s", got)
		}
	}
	stop()
	last := hear()
	for last == "WATCHDOG=1" {
		last = hear()
	}
	if last != "STOPPING=1" {
		t.Errorf("last %s", last)
	}
}

// An agent that cannot do its work says so to systemd when it is ready, and in its
// file; and when it can.
func TestDegraded(t *testing.T) {
	h := newHashingHost(t)
	hear := h.listen(t)
	h.start(false)
	want := "open database: stat " + h.Settings.Database + ": no such file or directory; " +
		"it is waited for, until its application has made it; or name another one in fleet.hcl"
	if got := hear(); got != "READY=1\nSTATUS=degraded: "+want {
		t.Errorf("first %s", got)
	}
	if self := h.told("first", func(d agent.Daemon) bool { return d.PID != 0 }); !slices.Equal(self.Faults, []string{want}) {
		t.Errorf("it says of itself %q", self.Faults)
	}
	h.Migrate()
	for text := ""; text != "STATUS=watching xmrig.service"; {
		if text = hear(); text != "WATCHDOG=1" && !strings.HasPrefix(text, "STATUS=") {
			t.Errorf("then %s", text)
		}
	}
	h.told("made", func(d agent.Daemon) bool { return len(d.Faults) == 0 })
}

// Nothing that happens to a database ends the loop, and each is recovered
// from. The miner's API is asked all the while.
func TestRunDatabaseTrouble(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	log, stop := h.start(false)
	path := h.Settings.Database

	logged := func(what string) {
		t.Helper()
		h.Logged(log, what)
	}
	logged("no such file or directory")
	h.Polled("missing")
	h.Migrate()
	h.AwaitPoll("made")
	logged("database works again")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.Polled("deleted")
	h.Migrate()
	h.AwaitPoll("made again")

	release := h.Locked("BEGIN IMMEDIATE")
	logged("it is locked")
	h.Polled("locked")

	release()
	h.AwaitPoll("not locked")

	// The write version of a later format in the header: to be read, not
	// written. It is another file, as the agent might write it over in this one.
	replace := func(change func(content []byte) []byte) {
		t.Helper()
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path+".new", change(content), 0o644)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	replace(func(b []byte) []byte { b[18] = 3; return b })
	logged("readonly database")
	h.Polled("read-only")
	replace(func(b []byte) []byte { b[18] = 1; return b })
	h.AwaitPoll("writable")

	replace(func([]byte) []byte { return []byte(strings.Repeat("no database ", 1000)) })
	logged("file is not a database")
	h.Polled("garbage")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.Migrate()
	h.AwaitPoll("made anew")
	stop()
}

// A stop does not wait for a lock that another process holds.
func TestRunStopsWhileLocked(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "1.0,null,null")
	h.Migrate()
	log, stop := h.start(false)
	h.AwaitPoll("first")
	h.Locked("BEGIN EXCLUSIVE") // to the end of the test
	h.Logged(log, "it is locked")
	h.Polled("locked")
	stop()
}

// The database of another program is neither made nor moved to WAL.
func TestRunSharedDatabase(t *testing.T) {
	h := newHost(t)
	h.Runs(10, 0)
	h.Says("logged-in-no-job", "1.0,null,null")
	db, err := store.OpenOwn(t.Context(), h.Settings.Database)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if out, err := exec.Command("sqlite3", h.Settings.Database, "PRAGMA journal_mode = DELETE").CombinedOutput(); err != nil {
		t.Skipf("sqlite3: %v %s", err, out)
	}
	_, stop := h.start(false)
	h.AwaitPoll("first")
	stop()
	out, err := exec.Command("sqlite3", h.Settings.Database, "PRAGMA journal_mode").Output()
	if err != nil || string(out) != "delete\n" {
		t.Errorf("journal mode is %q, %v", out, err)
	}
}
