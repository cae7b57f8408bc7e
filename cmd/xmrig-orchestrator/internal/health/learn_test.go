package health

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/modules/agent"
)

// Shares are expected according to hashrate and difficulty.
func TestShares(t *testing.T) {
	tests := []struct {
		name   string
		diff   float64 // at 1000 H/s
		donate int
		wait   time.Duration // without a share
		want   string
	}{
		{"a share each 30 s", 30e3, 1, 9*time.Minute + 50*time.Second, "running healthy"},
		{"alert at 14", 60e3, 1, 15*time.Minute + 10*time.Second, "unhealthy stale alert"},
		{"not at 13", 60e3, 1, 14*time.Minute + 50*time.Second, "running healthy"},
		{"restart at 21", 60e3, 1, 22 * time.Minute, "unhealthy stale alert restart"},
		{"at least ten minutes", 1e3, 1, 9*time.Minute + 50*time.Second, "running healthy"},
		{"and then at once", 1e3, 1, 10 * time.Minute, "unhealthy stale alert restart"},
		{"a round of donation", 1e3, 9, 9*time.Minute + 10*time.Second, "running healthy"},
		{"a long one", 10e3, 50, 50 * time.Minute, "running healthy"},
		{"shares of hours", 3600e3, 1, 13 * time.Hour, "running healthy"},
		{"too many hours", 3600e3, 1, 15 * time.Hour, "unhealthy stale alert"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{})
			p.summary.Donate = tt.donate
			p.diff = tt.diff
			p.tell(fmt.Sprintf("%d hash", 1+tt.wait/(10*time.Second)))
			if p.last != tt.want {
				t.Errorf("%s (%s), want %s", p.last, p.watch.Last.Evidence, tt.want)
			}
		})
	}
}

// What begins the count of expected shares again, and what does not.
func TestSharesAnew(t *testing.T) {
	tests := []struct {
		name   string
		change func(p *tale)
		want   string
	}{
		{"nothing", func(*tale) {}, "unhealthy stale alert"},
		{"a share", func(p *tale) { p.summary.Results.Good++; p.summary.Results.Total++ }, "running healthy"},
		{"a rejected one", func(p *tale) { p.summary.Results.Total++ }, "running healthy"},
		{"another session", func(p *tale) { p.uptime = 0 }, "running healthy"},
		{"another process", func(p *tale) { p.tell("1 restart") }, "running healthy"},
		{"another agent", func(p *tale) { p.tell("1 agent") }, "unhealthy stale alert"},
		{"a missing agent", func(p *tale) { p.tell("300 gap") }, "unhealthy stale alert"},
		{"the wall clock", func(p *tale) { p.tell("90000 step") }, "unhealthy stale alert"},
		{"a missing pool", func(p *tale) { p.tell("6 pool") }, "running healthy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{})
			p.diff = 60e3
			p.tell("90 hash")
			tt.change(p)
			p.tell("6 hash")
			if p.last != tt.want {
				t.Errorf("%s (%s), want %s", p.last, p.watch.Last.Evidence, tt.want)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	tests := []struct {
		name      string
		good, bad int64 // a poll
		polls     int
		want      string
	}{
		{"one in five", 8, 2, 20, "running healthy"},
		{"more", 7, 3, 8, "unhealthy rejects alert"},
		{"too few shares", 0, 1, 49, "running healthy"},
		{"just enough", 0, 1, 51, "unhealthy rejects alert"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{})
			p.tell("1 hash")
			for range tt.polls {
				p.summary.Results.Good += tt.good
				p.summary.Results.Total += tt.good + tt.bad
				p.tell("1 hash")
			}
			if p.last != tt.want {
				t.Errorf("%s (%s), want %s", p.last, p.watch.Last.Evidence, tt.want)
			}
		})
	}
	p := newTale(t, agent.Settings{})
	for i := range 40 {
		p.summary.Results.Total += 5
		if i >= 15 {
			p.summary.Results.Good += 5
		}
		p.tell("1 hash")
	}
	if p.last != "running healthy" {
		t.Errorf("after 125 good shares: %s (%s)", p.last, p.watch.Last.Evidence)
	}
}

// A hashrate is compared with what this host used to have.
func TestDegraded(t *testing.T) {
	const hour = "360 hash"
	tests := []struct {
		name   string
		change func(p *tale)
		want   string
	}{
		{"as ever", func(p *tale) { p.tell(hour) }, "running healthy"},
		{"a little less", func(p *tale) { p.rate = 900; p.tell(hour) }, "running healthy"},
		{"much less", func(p *tale) { p.rate = 800; p.tell(hour) },
			"unhealthy degraded alert: 800.0 H/s over 15 min, 80 % of the usual 1000.0"},
		{"after a restart", func(p *tale) { p.rate = 800; p.tell("1 restart, " + hour) },
			"unhealthy degraded alert: 800.0 H/s over 15 min, 80 % of the usual 1000.0"},
		{"after a reboot", func(p *tale) { p.rate = 800; p.tell("1 reboot, " + hour) },
			"unhealthy degraded alert: 800.0 H/s over 15 min, 80 % of the usual 1000.0"},
		{"not yet settled", func(p *tale) { p.rate = 800; p.tell("1 restart, 119 hash") }, "running healthy"},
		{"without its huge pages", func(p *tale) {
			p.rate, p.summary.HugePages = 400, miner.Pages{0, 1170}
			p.tell("1 restart, " + hour)
		}, "unhealthy degraded alert: 400.0 H/s over 15 min, 40 % of the usual 1000.0; huge pages 0 of 1170, before 1170 of 1170"},
		{"with another configuration", func(p *tale) { p.rate, p.o.Revision = 400, "another"; p.tell("1 restart, " + hour) }, "running healthy"},
		{"with another algorithm", func(p *tale) {
			algo := "rx/wow"
			p.rate, p.summary.Algo = 400, &algo
			p.tell(hour)
		}, "running healthy"},
		{"for a moment", func(p *tale) {
			one, other := p.summary.Algo, "rx/wow"
			p.rate, p.summary.Algo = 400, &other
			p.tell("60 hash")
			p.summary.Algo = one
			p.tell("90 hash")
		}, "running healthy"},
		{"and back", func(p *tale) {
			p.o.Revision = "another"
			p.tell("1 restart, " + hour)
			p.rate, p.o.Revision = 400, ""
			p.tell("1 restart, " + hour)
		}, "unhealthy degraded alert: 400.0 H/s over 15 min, 40 % of the usual 1000.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{})
			p.summary.HugePages = miner.Pages{1170, 1170}
			p.tell(hour)
			tt.change(p)
			got := p.last
			if e := p.watch.Last.Evidence; e != "" {
				got += ": " + e
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Each threshold of the contract is a field of the policy with the default that
// it names, and there is no other one.
func TestNewPolicy(t *testing.T) {
	defaults := NewPolicy(agent.Settings{})
	var names []string
	for _, th := range agent.Thresholds {
		names = append(names, th.Name)
		if p := NewPolicy(agent.Settings{Thresholds: map[string]float64{th.Name: 0.75}}); p == defaults {
			t.Errorf("%s changes nothing", th.Name)
		}
		if p := NewPolicy(agent.Settings{Thresholds: map[string]float64{th.Name: th.Default}}); p != defaults {
			t.Errorf("%s: %v is not the default", th.Name, th.Default)
		}
		if th.Meaning == "" || strings.HasSuffix(th.Meaning, ".") {
			t.Errorf("%s means %q", th.Name, th.Meaning)
		}
	}
	want := []string{"start_grace", "pause_limit", "pool_alert", "dataset_grace", "api_dead", "wedge_polls",
		"thread_dead", "stale_alert_k", "stale_restart_k", "stale_min", "reject_ratio", "reject_window",
		"degraded_ratio", "backoff_start", "backoff_limit", "backoff_reset", "crash_limit", "crash_window"}
	if !slices.Equal(names, want) {
		t.Errorf("the thresholds are %v", names)
	}
	others := 2 // Immediate and Interval
	if n := reflect.TypeFor[Policy]().NumField(); n != len(names)+others {
		t.Errorf("a Policy has %d fields for %d thresholds", n, len(names))
	}
	for name, d := range map[string]time.Duration{"0": 0, "1": 60, "2": 120, "3": 240, "4": 480, "5": 960, "6": 1800, "900": 1800} {
		var n int
		fmt.Sscan(name, &n)
		if got := defaults.backoff(n); got != d*time.Second && n > 0 {
			t.Errorf("wait %d is %v", n, got)
		}
	}
	if s := (agent.Settings{RestartPolicy: "immediate", Interval: agent.Duration(time.Minute)}); !NewPolicy(s).Immediate || NewPolicy(s).gap() != 5*time.Minute {
		t.Error(NewPolicy(s))
	}
}

// The line that people read.
func TestEvidence(t *testing.T) {
	tests := []struct{ story, want string }{
		{"6 hash", "1000.0 H/s, pool 127.0.0.1:33333"},
		{"6 hash, 3 idle", "0.0 H/s for 20s in 3 polls, 0.00 cores in use; pool 127.0.0.1:33333, connected for 1m35s"},
		{"6 hash, 40 busy", "0.0 H/s for 6m30s in 40 polls, 2.00 cores in use; pool 127.0.0.1:33333, connected for 7m45s"},
		{"6 hash, 40 pool", "0.0 H/s for 6m30s in 40 polls, 0.00 cores in use; pool 127.0.0.1:33333, not connected"},
		{"6 hash, 13 thread", "500.0 H/s, 1 of 2 threads at 0 for 2m in 13 polls, 2.00 cores in use; pool 127.0.0.1:33333, connected for 3m15s"},
		{"6 hash, 5 silent", "refused for 50s in 5 polls, 2.00 cores in use"},
		{"1 restart, 20 silent", "refused for 3m10s in 20 polls, 2.00 cores in use, no answer since the process started: was its port taken?"},
		{"6 hash, 3 idle, 1 restart, 1 hash, 4 idle", "0.0 H/s for 30s in 4 polls, 0.00 cores in use; pool 127.0.0.1:33333, connected for 55s; restart 2 not before 20s from now"},
		{"1 unwanted, 6 hash, 3 idle", "0.0 H/s for 20s in 3 polls, 0.00 cores in use; pool 127.0.0.1:33333, connected for 1m35s; not restarted: it is to be stopped"},
		{"6 hash, 7 crash, 1 hash", "xmrig.service: ended without an error; 7 restarts by systemd"},
		{"1 restart, 1 busy", "process 4712 is 10s old, CPU time not known"},
		{"6 hash, 1 pool", "0.0 H/s in 1 poll, 0.00 cores in use; pool 127.0.0.1:33333, not connected"},
	}
	for _, tt := range tests {
		p := newTale(t, agent.Settings{}).tell(tt.story)
		got := p.watch.Last.Evidence
		if tt.story == "6 hash" {
			got = newTale(t, agent.Settings{}).tell("1 hash").watch.Last.Evidence
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.story, got, tt.want)
		}
	}
}

// What a restart for want of shares was decided from is said once, together with
// why it has to wait.
func TestEvidenceOfStale(t *testing.T) {
	p := newTale(t, agent.Settings{})
	p.diff = 1e6 // a share is expected each 1000 s
	p.tell("1 unwanted, 2300 hash")
	got := p.watch.Last.Evidence
	if n := strings.Count(got, "no share for"); n != 1 || !strings.HasSuffix(got, "; not restarted: it is to be stopped") {
		t.Errorf("wanted stopped: %s", got)
	}
	p = newTale(t, agent.Settings{})
	p.diff = 1e6
	for p.last != "unhealthy stale alert restart" {
		p.tell("1 hash")
	}
	if got := p.watch.Last.Evidence; strings.Count(got, "no share for") != 1 {
		t.Errorf("restarted: %s", got)
	}
}

// A paused miner is told as that, from its first poll on.
func TestPaused(t *testing.T) {
	for story, want := range map[string]string{
		"6 hash, 1 paused":    "running paused: paused, 0.0 H/s in 1 poll, 0.00 cores in use; pool 127.0.0.1:33333, connected for 1m15s",
		"6 hash, 4 paused":    "running paused: paused, 0.0 H/s for 30s in 4 polls, 0.00 cores in use; pool 127.0.0.1:33333, connected for 1m45s",
		"1 restart, 2 paused": "starting paused: process 4712 is 20s old, paused, 0.00 cores in use",
	} {
		p := newTale(t, agent.Settings{}).tell(story)
		if got := p.last + ": " + p.watch.Last.Evidence; got != want {
			t.Errorf("%s\n got %s\nwant %s", story, got, want)
		}
	}
}

// A miner that never had a pool has none in the evidence.
func TestEvidenceWithoutPool(t *testing.T) {
	p := newTale(t, agent.Settings{})
	p.summary.Connection.Pool = ""
	const want = "0.0 H/s in 1 poll, 0.00 cores in use; no pool"
	if got := p.tell("6 hash, 1 pool").watch.Last.Evidence; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
