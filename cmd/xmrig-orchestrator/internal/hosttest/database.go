package hosttest

import (
	"bufio"
	"cmp"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// Row reads what is recorded of the miner, the zero Process while nothing is.
func (h *Host) Row() health.Process {
	db, err := store.OpenReadOnly(h.T.Context(), h.Settings.Database)
	if err != nil {
		return health.Process{}
	}
	defer db.Close()
	p, _ := db.Process(h.T.Context(), h.Settings.Hostname)
	return p
}

// Await waits until the row is as wanted, and returns it.
func (h *Host) Await(what string, want func(health.Process) bool) (p health.Process) {
	h.T.Helper()
	h.Until(func() bool { p = h.Row(); return want(p) }, func() string {
		p.Snapshot = nil
		return fmt.Sprintf("%s: the row stays\n%+v", what, p)
	})
	return p
}

// AwaitPoll waits until a poll is recorded that ended after this moment.
func (h *Host) AwaitPoll(what string) {
	h.T.Helper()
	now := time.Now()
	h.Await(what, func(p health.Process) bool { return p.CheckedAt.After(now) })
}

// Decisions reads the last n decisions, none while the agent's own database does
// not exist.
func (h *Host) Decisions(n int) []store.Decision {
	db, err := store.OpenReadOnly(h.T.Context(), h.Own())
	if err != nil {
		return nil
	}
	defer db.Close()
	decisions, _ := db.Decisions(h.T.Context(), h.Settings.Hostname, n)
	return decisions
}

// AwaitDecision waits until the last decision that was recorded names a cause,
// and returns it. It is recorded after the row.
func (h *Host) AwaitDecision(cause health.Cause) (d store.Decision) {
	h.T.Helper()
	h.Until(func() bool {
		if last := h.Decisions(1); len(last) == 1 {
			d = last[0]
		}
		return d.Cause == string(cause)
	}, func() string { return fmt.Sprintf("%s: the last decision stays %+v", cause, d) })
	return d
}

// SQLite feeds a script to sqlite3 and returns its output.
func (h *Host) SQLite(script string) string {
	h.T.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		h.T.Skip("sqlite3 is not installed")
	}
	cmd := exec.Command("sqlite3", "-bail", h.Settings.Database)
	cmd.Stdin = strings.NewReader(fmt.Sprintf(".timeout %d\n%s;\n", Patience.Milliseconds(), script))
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.T.Fatalf("sqlite3 %s: %v %s", script, err, out)
	}
	return string(out)
}

// Migrate makes the tables of the specification in the database of the settings, as
// a Rails application does, whose database it then is.
func (h *Host) Migrate() {
	h.T.Helper()
	h.SQLite(store.Specification())
}

// Locked has another program begin a transaction, which lasts until release.
func (h *Host) Locked(begin string) (release func()) {
	h.T.Helper()
	cmd := exec.Command("sqlite3", "-bail", h.Settings.Database)
	in, err := cmd.StdinPipe()
	if err != nil {
		h.T.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.T.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.T.Skip("sqlite3 is not installed")
	}
	release = sync.OnceFunc(func() { in.Close(); cmd.Wait() })
	h.T.Cleanup(release)
	fmt.Fprintf(in, ".timeout %d\n%s;\n.print locked\n", Patience.Milliseconds(), begin)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		h.T.Fatalf("%s: %q, %v", begin, line, err)
	}
	return release
}

// Ending waits until a command has ended, and shows it. It starts no program while
// it waits: a fork would hold the pipes open that the agent reads from systemctl.
func (h *Host) Ending(id int64) string {
	h.T.Helper()
	var c store.Command
	h.Until(func() bool {
		c = h.command(id)
		return c.Status == store.Completed || c.Status == store.Failed
	}, func() string { return fmt.Sprintf("command %d stays %+v", id, c) })
	return c.Action + "|" + c.Status + "|" + cmp.Or(c.Result, c.Error)
}

// command reads a command, the zero Command while it cannot be read.
func (h *Host) command(id int64) store.Command {
	db, err := store.OpenReadOnly(h.T.Context(), h.Settings.Database)
	if err != nil {
		return store.Command{}
	}
	defer db.Close()
	c, _ := db.Command(h.T.Context(), h.Settings.Hostname, id)
	return c
}
