package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// faulty waits until the agent tells of n faults, and returns them without the
// host's paths.
func (h *host) faulty(what string, n int) string {
	h.T.Helper()
	self := h.told(what, func(d agent.Daemon) bool { return d.PID != 0 && len(d.Faults) == n })
	return strings.ReplaceAll(strings.Join(self.Faults, "\n"), h.Settings.Database, "PATH")
}

const insertStop = `INSERT INTO xmrig_commands (%s action, created_at, updated_at) VALUES (%s 'stop', datetime('now'), datetime('now'))`

// Nothing is made in a database that another program has only begun to migrate.
// Its tables are taken into use as they come.
func TestMigration(t *testing.T) {
	h := newHashingHost(t)
	h.SQLite("CREATE TABLE schema_migrations (version); CREATE TABLE ar_internal_metadata (key, value)")
	const schema = "SELECT sql FROM sqlite_master"
	before := h.SQLite(schema)
	log, _ := h.start(false)
	const want = `PATH has no table xmrig_processes: the miner's state is not recorded there; it is waited for, until the migrations of its application have made it
PATH has no table xmrig_commands: no command is taken from there; it is waited for, until the migrations of its application have made it`
	if got := h.faulty("no tables", 2); got != want {
		t.Errorf("faults are\n%s", got)
	}
	h.Polled("no tables")
	if after := h.SQLite(schema); after != before {
		t.Errorf("the schema has become\n%s", after)
	}
	processes, commands, _ := strings.Cut(store.Specification(), "\nCREATE TABLE \"xmrig_commands\"")
	h.SQLite(`CREATE TABLE "xmrig_commands"` + commands)
	h.SQLite(fmt.Sprintf(insertStop, "hostname,", "'mini-1',"))
	if got := h.Ending(1); got != "stop|completed|" {
		t.Errorf("without a table of processes: %s", got)
	}
	h.faulty("one table", 1)
	h.SQLite(processes)
	h.AwaitPoll("both tables")
	h.faulty("both tables", 0)
	h.SQLite("DROP TABLE xmrig_commands")
	h.faulty("rolled back", 1)
	h.AwaitPoll("rolled back")
	if got := log.String(); strings.Contains(got, "no such table") || strings.Contains(got, "no such column") {
		t.Errorf("the log is\n%s", got)
	}
}

// An application that gave each host a database of its own has no use for the host
// names of commands.
func TestMigrationWithoutHostname(t *testing.T) {
	h := newHashingHost(t)
	h.Migrate()
	h.start(false)
	h.AwaitPoll("all columns")
	h.SQLite(`DROP INDEX index_xmrig_commands_on_hostname; DROP INDEX index_xmrig_commands_on_hostname_and_status;
ALTER TABLE xmrig_commands DROP COLUMN hostname; ALTER TABLE xmrig_processes DROP COLUMN hashrate`)
	h.SQLite(fmt.Sprintf(insertStop, "", ""))
	if got := h.Ending(1); got != "stop|completed|" {
		t.Error(got)
	}
	h.AwaitPoll("fewer columns")
	h.faulty("fewer columns", 0)
	h.SQLite(`ALTER TABLE xmrig_commands ADD COLUMN tenant text; ALTER TABLE xmrig_processes DROP COLUMN status`)
	const want = `xmrig_processes in PATH has no column status: the miner's state is not recorded there; add the column by a migration`
	if got := h.faulty("no state", 1); got != want {
		t.Errorf("faults are\n%s", got)
	}
	h.SQLite(fmt.Sprintf(insertStop, "", ""))
	if got := h.Ending(2); got != "stop|completed|" {
		t.Errorf("without a state: %s", got)
	}
}

// What an application refuses to have in one table is a fault, and no reason to
// leave its other table alone.
func TestRefusedRow(t *testing.T) {
	h := newHashingHost(t)
	h.Migrate()
	h.SQLite(`CREATE TRIGGER no BEFORE INSERT ON xmrig_processes BEGIN SELECT RAISE(ABORT, 'not here'); END`)
	h.start(false)
	if got := h.faulty("refused", 1); got != "insert process of mini-1: constraint failed: not here (1811)" {
		t.Errorf("faults are\n%s", got)
	}
	h.SQLite(fmt.Sprintf(insertStop, "hostname,", "'mini-1',"))
	if got := h.Ending(1); got != "stop|completed|" {
		t.Error(got)
	}
	h.SQLite(`DROP TRIGGER no`)
	h.AwaitPoll("taken")
	h.faulty("taken", 0)
}

// What the older daemon left is taken over.
func TestOlderDaemon(t *testing.T) {
	h := newHashingHost(t)
	h.Migrate()
	old, now := time.Now().UTC().Add(-6*24*time.Hour).Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339)
	h.SQLite(fmt.Sprintf(`INSERT INTO xmrig_processes (hostname, worker_id, status, error_count, restart_count, created_at, updated_at)
VALUES (CAST('mini-1' AS BLOB), 'mini-1-production', 'running', 7, 9, '%[1]s', '%[1]s');
INSERT INTO xmrig_commands (hostname, action, created_at, updated_at)
VALUES (CAST('mini-1' AS BLOB), 'stop', '%[1]s', '%[1]s'), (CAST('mini-1' AS BLOB), 'restart', '%[2]s', '%[2]s')`, old, now))
	h.start(false)
	if got := h.Ending(2); got != "restart|completed|" {
		t.Error(got)
	}
	if got := h.Ending(1); got != "stop|failed|Expired: pending for more than 24 hours" {
		t.Error(got)
	}
	p := h.Await("taken over", func(p health.Process) bool { return p.PID == 10 })
	if p.Restarts != 9 || p.Errors != 7 {
		t.Errorf("the row is %+v", p)
	}
	if got := h.SQLite(`SELECT id, typeof(hostname) FROM xmrig_processes`); got != "1|text\n" {
		t.Errorf("rows are %s", got)
	}
	if got := h.Calls(); strings.Contains(got, "stop") {
		t.Errorf("systemctl was told %s", got)
	}
}

// A command that a lock kept from being run is run right behind the lock, although
// the next poll is an hour away.
func TestLockThatEnds(t *testing.T) {
	for _, begin := range []string{"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"} {
		h := newHashingHost(t)
		h.Settings.Interval = seldom
		h.Configure()
		h.Migrate()
		log, stop := h.start(false)
		h.AwaitPoll("first")
		unlock, err := h.config(log).lock() // so that the command is not run yet
		if err != nil {
			t.Fatal(err)
		}
		h.SQLite(fmt.Sprintf(insertStop, "hostname,", "'mini-1',"))
		h.Logged(log, "commands wait")
		release := h.Locked(begin)
		unlock()
		h.Logged(log, "it is locked")
		release()
		if got := h.Ending(1); got != "stop|completed|" {
			t.Errorf("%s: %s", begin, got)
		}
		stop()
	}
}

// A lock is no fault until it has lasted for long, and the database stays open.
func TestBusy(t *testing.T) {
	h := newHashingHost(t)
	h.Migrate()
	h.OwnDatabase = false
	c := h.config(t.Output())
	c.Backoff = time.Hour
	d := newDaemon(c)
	defer d.close()
	save := func() error {
		d.shared.retry = time.Time{}
		return d.shared.use(t.Context(), jobRow, func(s *store.Store) error {
			return s.SaveProcess(t.Context(), health.Process{Hostname: "mini-1", State: "running", CheckedAt: time.Now()})
		})
	}
	if err := save(); err != nil {
		t.Fatal(err)
	}
	opened := d.shared.store
	release := h.Locked("BEGIN IMMEDIATE")
	for range 2 {
		if err := save(); !store.Busy(err) {
			t.Errorf("locked: %v", err)
		}
		if err := d.shared.use(t.Context(), jobLook, func(*store.Store) error { return nil }); err != errBackoff {
			t.Errorf("in the same poll: %v", err)
		}
	}
	if d.shared.store != opened || d.shared.faults() != nil || !d.shared.busy() {
		t.Errorf("locked: faults are %v", d.shared.faults())
	}
	d.shared.backoff = 0
	if got := d.shared.faults(); len(got) != 1 || !strings.Contains(got[0], "it is locked by another program") {
		t.Errorf("locked for long: faults are %v", got)
	}
	d.shared.retry = time.Time{}
	d.shared.use(t.Context(), jobRow, func(*store.Store) error { return store.Fault("a table is gone") })
	if d.shared.busy() {
		t.Error("a row that is refused waits for a lock")
	}
	release()
	if err := save(); err != nil || d.shared.store != opened || d.shared.faults() != nil || d.shared.busy() {
		t.Errorf("released: %v, faults are %v", err, d.shared.faults())
	}
}

// A lock that does not end is a fault, which systemd and whoever reads what the
// agent says of itself are told. Polls and watchdog go on.
func TestLockThatStays(t *testing.T) {
	h := newHashingHost(t)
	h.Migrate()
	hear := h.listen(t)
	h.start(false)
	h.AwaitPoll("first")
	release := h.Locked("BEGIN IMMEDIATE")
	const want = "database PATH: it is locked by another program for more than 50ms; end its transaction: fuser -v PATH names it"
	if got := h.faulty("locked", 1); got != want {
		t.Errorf("faults are\n%s", got)
	}
	status := "STATUS=degraded: database " + h.Settings.Database + ": it is locked"
	for !strings.HasPrefix(hear(), status) {
	}
	h.Polled("locked")
	for range 3 {
		if got := hear(); got != "WATCHDOG=1" {
			t.Errorf("systemd hears %s", got)
		}
	}
	release()
	h.faulty("released", 0)
	h.AwaitPoll("released")
	for hear() != "STATUS=watching xmrig.service" {
	}
}
