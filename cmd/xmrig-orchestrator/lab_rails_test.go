//go:build lab

package main

import (
	_ "embed"
	"os/exec"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

//go:embed testdata/rails.rb
var rails string

// ActiveRecord migrates its database beside the agent, before the agent's tables
// are there and while it uses them, and writes to it from several processes at a
// time: nothing is lost, and what the agent writes is valid there.
func TestLabRails(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) { t.Parallel(); newRailsRig(t, mode).live() })
	}
}

// A railsRig is a rig on whose host a Rails application lives.
type railsRig struct {
	*rig
	mode string
}

func newRailsRig(t *testing.T, mode string) railsRig {
	r := railsRig{bareRig(t, "ruby-activerecord", "ruby-sqlite3"), mode}
	r.path = "/srv/rails/production.sqlite3"
	r.sh(`mkdir -p /srv/rails; printf %s "$1" >/srv/rails.rb`, rails)
	r.rails("connect")
	r.describe(`database = "`+r.path+`"`, "")
	r.xmrfleet("apply", "--yes")
	return r
}

// rails runs the application.
func (r railsRig) rails(args ...string) string {
	r.t.Helper()
	return r.sh(`ruby /srv/rails.rb "$@"`, append([]string{r.path, r.mode}, args...)...)
}

// faults waits until the agent tells of so many faults.
func (r railsRig) faults(n int) {
	r.t.Helper()
	self := ""
	labtest.Wait(r.t, func() bool {
		self = r.sh(`cat ` + agent.DaemonFile)
		return (n == 0) == !strings.Contains(self, `"faults"`) && strings.Count(self, "has no table") == n
	}, func() string { return self + "\n" + r.story() })
}

// ended waits until no command is under way, and returns how all of them ended.
func (r railsRig) ended() (all string) {
	r.t.Helper()
	labtest.Wait(r.t, func() bool {
		all = r.sqlite(`SELECT action, status, COALESCE(error_message, '') FROM xmrig_commands ORDER BY id`)
		return !strings.Contains(all, "|pending|") && !strings.Contains(all, "|processing|")
	}, func() string { return all + "\n" + r.story() })
	return all
}

// live has the application do what it does in its life.
func (r railsRig) live() {
	r.faults(2)
	r.rails("migrate")
	r.await("the first row", func(p health.Process) bool { return p.State == "running" })
	r.faults(0)
	r.rails("restart")
	if got := r.ended(); got != "restart|completed|\n" {
		r.t.Errorf("the first command: %s", got)
	}
	r.rails("forget_hostname")
	r.rails("restart")
	if got := r.ended(); got != "restart|completed|\nrestart|completed|\n" {
		r.t.Errorf("without host names: %s", got)
	}
	r.faults(0)
	r.rails("recall_hostname")
	r.sh(`for i in 1 2 3; do ruby /srv/rails.rb "$1" "$2" restart 30 & pids="$pids $!"; done; for pid in $pids; do wait "$pid" || exit; done`, r.path, r.mode)
	all := r.ended()
	if n := strings.Count(all, "\n"); n != 2+3*30 {
		r.t.Errorf("%d commands are in\n%s", n, all)
	}
	for line := range strings.Lines(all) {
		if _, end, _ := strings.Cut(strings.TrimSpace(line), "restart|"); end != "completed|" &&
			end != "failed|Superseded by new command" && !strings.HasPrefix(end, "failed|rate limit exceeded") {
			r.t.Errorf("a command ended %q", end)
		}
	}
	r.await("the last row", func(p health.Process) bool { return p.State == "running" && p.Hashrate != nil && *p.Hashrate > 0 })
	r.t.Logf("%s: %s", r.mode, r.rails("check"))
	if got := r.sqlite("PRAGMA integrity_check; PRAGMA journal_mode"); got != "ok\n"+strings.ToLower(r.mode)+"\n" {
		r.t.Errorf("the database: %s", got)
	}
	if got := r.sh(`journalctl -q --namespace=+xmrig -u xmrig-orchestrator --no-pager -o cat | grep -i "no such\|malformed\|constraint" || :`); got != "" {
		r.t.Errorf("the agent logs\n%s", got)
	}
}
