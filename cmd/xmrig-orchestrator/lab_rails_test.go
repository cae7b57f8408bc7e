//go:build lab

package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

//go:embed testdata/rails
var rails embed.FS

// The application of the specification lives beside the agent: it migrates its
// database while the agent waits for its tables and while it uses them, and writes
// to it from several processes at a time. Nothing is lost, what the agent writes is
// valid there, and the schema is the application's.
func TestLabRails(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRailsRig(t, mode)
			if mode == "WAL" {
				r.sh(inApplication+`ruby test/all.rb`, "/srv/test.sqlite3", mode)
			}
			r.migrate()
			r.write()
			r.forgetHostname()
			r.healthy()
		})
	}
}

// A railsRig is a rig on whose host a Rails application lives.
type railsRig struct {
	*rig
	mode string
}

// newRailsRig makes a database in which no migration has run yet, and applies a
// fleet file with it.
func newRailsRig(t *testing.T, mode string) railsRig {
	t.Helper()
	r := railsRig{bareRig(t, "ruby-activerecord", "ruby-sqlite3"), mode}
	r.path = "/mnt/rails-storage/production.sqlite3"
	r.sh(`mkdir -p /mnt/rails-storage`)
	err := fs.WalkDir(rails, "testdata/rails", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := rails.ReadFile(path)
		if err != nil {
			return err
		}
		return r.lab.Host(name).WriteFile(t.Context(), "/srv/"+strings.TrimPrefix(path, "testdata/"), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ruby(`migrations`)
	before := r.schema()
	r.describe(`database = "`+r.path+`"`, "")
	r.applyUnverified("has no table xmrig_processes")
	r.faults(2)
	if got := r.schema(); got != before {
		t.Errorf("before any migration the schema was\n%s\nand is now\n%s", before, got)
	}
	return r
}

const inApplication = `export DATABASE="$1" JOURNAL="$2"; shift 2; cd /srv/rails; `

// ruby has the application run some code.
func (r railsRig) ruby(code string) string {
	r.t.Helper()
	return r.sh(inApplication+`ruby -r ./boot.rb -e "$1"`, r.path, r.mode, code)
}

func (r railsRig) schema() string {
	r.t.Helper()
	return r.sqlite(`SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name`)
}

// faults waits until the agent tells of so many missing tables, and of nothing else.
func (r railsRig) faults(n int) {
	r.t.Helper()
	self := ""
	labtest.Wait(r.t, func() bool {
		self = r.sh(`cat ` + agent.DaemonFile)
		return (n == 0) == !strings.Contains(self, `"faults"`) && strings.Count(self, "has no table") == n
	}, func() string { return self + "\n" + r.story() })
}

// ended waits until no command of the host is under way, and returns how they ended.
func (r railsRig) ended(condition string) (all string) {
	r.t.Helper()
	labtest.Wait(r.t, func() bool {
		all = r.sqlite(`SELECT action, status, COALESCE(error_message, '') FROM xmrig_commands WHERE ` + condition + ` ORDER BY id`)
		return !strings.Contains(all, "|pending|") && !strings.Contains(all, "|processing|")
	}, func() string { return all + "\n" + r.story() })
	return all
}

// migrate has the tables made that the agent waits for, and used.
func (r railsRig) migrate() {
	r.t.Helper()
	r.ruby(`migrations.migrate(2)`)
	r.await("the first row", func(p health.Process) bool { return p.State == "running" })
	r.faults(0)
	r.ruby(`%w[stop start restart].each do |action|
		Xmrig::CommandService.public_send("#{action}_mining", "mini-1")
		sleep 0.05 while %w[pending processing].include?(XmrigCommand.last.status)
	end`)
	if got, want := r.ended(`TRUE`), "stop|completed|\nstart|completed|\nrestart|completed|\n"; got != want {
		r.t.Errorf("commands: %s", got)
	}
}

// write has four processes write at a time. The agent polls once an hour: what it
// does meanwhile, it does because something was written.
func (r railsRig) write() {
	r.t.Helper()
	const writers, times = 4, 25
	r.interval("1h")
	script := fmt.Sprintf(`
		other = "other-#{ARGV[0]}"
		%d.times do |i|
			Xmrig::CommandService.restart_mining("mini-1", reason: "writer #{ARGV[0]}, #{i}")
			Xmrig::CommandService.stop_mining(other)
			XmrigCommand.for_host(other).pending.each { |c| c.mark_processing!; c.mark_completed!("by writer") }
			XmrigProcess.for_host(other).update!(error_count: i + 1)
			Xmrig::StatusMonitorJob.perform_now
			Xmrig::CleanupOldCommandsJob.perform_now
		end`, times)
	r.sh(inApplication+`for i in $(seq "$2"); do ruby -r ./boot.rb -e "$1" "$i" & pids="$pids $!"; done
		for pid in $pids; do wait "$pid" || exit; done`, r.path, r.mode, script, fmt.Sprint(writers))
	all := r.ended(`reason LIKE 'writer %'`)
	if n := strings.Count(all, "\n"); n != writers*times {
		r.t.Errorf("%d commands of %d are in\n%s", n, writers*times, all)
	}
	counts := make(map[string]int)
	for line := range strings.Lines(all) {
		_, end, _ := strings.Cut(strings.TrimSpace(line), "restart|")
		counts[end]++
		if end != "completed|" && end != "failed|Superseded by new command" && !strings.HasPrefix(end, "failed|rate limit exceeded") {
			r.t.Errorf("a command ended %q", end)
		}
	}
	r.t.Logf("%v; from giving a command to its beginning at most %s s", counts, strings.TrimSpace(r.sqlite(
		`SELECT max((julianday(processed_at) - julianday(created_at)) * 86400) FROM xmrig_commands WHERE processed_at IS NOT NULL AND reason LIKE 'writer %'`)))
	got := r.sqlite(`SELECT count(*), sum(status = 'completed' AND result = 'by writer') FROM xmrig_commands WHERE hostname LIKE 'other%';
SELECT count(*), sum(error_count) FROM xmrig_processes WHERE hostname LIKE 'other-%'`)
	if want := fmt.Sprintf("%[1]d|%[1]d\n%d|%d\n", writers*times, writers, writers*times); got != want {
		r.t.Errorf("what is of other hosts: %s, not %s", got, want)
	}
	r.interval("1s")
	r.hashes()
	r.ruby(`
		bad = XmrigCommand.all.reject(&:valid?) + XmrigProcess.all.reject(&:valid?)
		abort "not valid: #{bad.inspect}" if bad.any?
		row = XmrigProcess.for_host("mini-1")
		abort "not healthy: #{row.inspect}" unless row.persisted? && row.healthy? && !row.stale? && row.accepted_shares
		JSON.parse(row.health_data)
		old = XmrigCommand.create!(hostname: "mini-1", action: "stop", status: "completed", created_at: 25.hours.ago)
		Xmrig::CleanupOldCommandsJob.perform_now
		abort "still there" if XmrigCommand.exists?(old.id) || XmrigCommand.count < 200`)
}

// hashes waits for a row with a rate.
func (r railsRig) hashes() {
	r.t.Helper()
	r.await("a rate", func(p health.Process) bool { return p.State == "running" && p.Hashrate != nil && *p.Hashrate > 0 })
}

// interval has the agent go on with another interval.
func (r railsRig) interval(interval string) {
	r.t.Helper()
	r.sh(`sed -i 's/"interval": *"[^"]*"/"interval": "'"$1"'"/' /etc/xmrig/orchestrator.json
		grep -qF "\"$1\"" /etc/xmrig/orchestrator.json && systemctl restart xmrig-orchestrator`, interval)
}

// forgetHostname has a column removed of a table that the agent uses.
func (r railsRig) forgetHostname() {
	r.t.Helper()
	// As if an hour had passed, for there is a limit of commands in a minute.
	r.ruby(`
		XmrigCommand.where.not(processed_at: nil).update_all(processed_at: 1.hour.ago)
		migrations.migrate
		XmrigCommand.reset_column_information
		XmrigCommand.new(action: "stop", reason: "no host names").save!(validate: false)`)
	if got := r.ended(`reason = 'no host names'`); got != "stop|completed|\n" {
		r.t.Errorf("without host names: %s", got)
	}
	r.await("the row after the stop", func(p health.Process) bool { return p.State == "stopped" })
	r.ruby(`XmrigCommand.new(action: "start", reason: "no host names").save!(validate: false)`)
	if got := r.ended(`reason = 'no host names'`); got != "stop|completed|\nstart|completed|\n" {
		r.t.Errorf("without host names: %s", got)
	}
	r.hashes()
	r.faults(0)
}

// healthy compares the database with one that had no agent beside it.
func (r railsRig) healthy() {
	r.t.Helper()
	if got := r.sqlite("PRAGMA integrity_check; PRAGMA journal_mode"); got != "ok\n"+strings.ToLower(r.mode)+"\n" {
		r.t.Errorf("the database: %s", got)
	}
	if got := r.sh(`journalctl -q --namespace=+xmrig -u xmrig-orchestrator --no-pager -o cat | grep -i "no such\|malformed\|constraint" || :`); got != "" {
		r.t.Errorf("the agent logs\n%s", got)
	}
	got := r.schema()
	r.path = "/srv/alone.sqlite3"
	r.ruby(`migrations.migrate`)
	if want := r.schema(); got != want {
		r.t.Errorf("beside the agent the schema is\n%s\nand alone\n%s", got, want)
	}
}
