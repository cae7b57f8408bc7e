package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// record writes a row as the daemon does.
func record(t *testing.T, h *host, p health.Process) {
	t.Helper()
	db, err := store.OpenOwn(t.Context(), h.Settings.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveProcess(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// hashing is a row of a miner that hashes.
func hashing(h *host) health.Process {
	h.T.Helper()
	s, err := miner.Parse([]byte(h.Summary("logged-in-no-job", "4012.5, 4013.1, null")))
	if err != nil {
		h.T.Fatal(err)
	}
	good, bad := int64(97), int64(3)
	return health.Process{
		Hostname: "mini-1", WorkerID: "mini-1-production", State: "running", PID: 4711,
		StartedAt: time.Date(2026, 11, 22, 22, 10, 0, 0, time.UTC),
		CheckedAt: time.Date(2026, 11, 22, 23, 10, 0, 123456000, time.UTC),
		Errors:    2, Restarts: 1, LastError: "paused",
		Hashrate: s.Hashrate.Total[0], Accepted: &good, Rejected: &bad, Snapshot: s.JSON,
	}
}

func TestStatus(t *testing.T) {
	h := newHost(t)
	record(t, h, hashing(h))
	settings := h.SettingsFile()

	got, err := run(t, "status", "--settings", settings)
	if err != nil {
		t.Fatal(err)
	}
	const table = `
host      mini-1
worker    mini-1-production
state     running
pid       4711
started   2026-11-22 22:10:00 UTC (1h0m30s ago)
xmrig     6.26.0
hashrate  4012.5 4013.1 n/a H/s (10s 60s 15m)
shares    97 accepted, 3 rejected
pool      127.0.0.1:33333
restarts  1
errors    2
checked   2026-11-22 23:10:00 UTC (29s ago)
`
	if got != table[1:] {
		t.Errorf("status is\n%s\nwant\n%s", got, table[1:])
	}

	got, err = run(t, "status", "--json", "--settings", settings)
	if err != nil {
		t.Fatal(err)
	}
	const line = `{"version":1,"hostname":"mini-1","worker_id":"mini-1-production","state":"running","pid":4711,` +
		`"started_at":"2026-11-22T22:10:00Z","last_health_check_at":"2026-11-22T23:10:00.123456Z",` +
		`"error_count":2,"restart_count":1,"hashrate":[4012.5,4013.1,null],` +
		`"accepted_shares":97,"rejected_shares":3,"pool":"127.0.0.1:33333","pool_connected":true,"paused":false,` +
		`"uptime":14,"xmrig_version":"6.26.0","failed_commands":0}` + "\n"
	if got != line {
		t.Errorf("status is\n%s\nwant\n%s", got, line)
	}
}

func TestStatusStopped(t *testing.T) {
	h := newHost(t)
	p := hashing(h)
	p.State, p.PID, p.StoppedAt = "stopped", 0, p.CheckedAt
	p.Hashrate, p.Snapshot, p.LastError = nil, nil, ""
	record(t, h, p)
	got, err := run(t, "status", "--settings", h.SettingsFile())
	if err != nil {
		t.Fatal(err)
	}
	const table = `
host      mini-1
worker    mini-1-production
state     stopped
started   2026-11-22 22:10:00 UTC (1h0m30s ago)
stopped   2026-11-22 23:10:00 UTC (29s ago)
shares    97 accepted, 3 rejected
restarts  1
errors    2
checked   2026-11-22 23:10:00 UTC (29s ago)
`
	if got != table[1:] {
		t.Errorf("status is\n%s\nwant\n%s", got, table[1:])
	}
}

// Without a row status fails, but its JSON tells what can be told.
func TestStatusUnrecorded(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*host)
		state   string
		err     string
	}{
		{"no database, hashing", func(h *host) {
			h.Runs(10, 0)
			h.Says("logged-in-no-job", "4012.5,null,null")
		}, "running", "open database: stat DATABASE: no such file or directory"},
		{"no row, stopped", func(h *host) {
			h.Ends("inactive", "dead", "success", 0, 0, 0)
			p := hashing(h)
			p.Hostname = "mini-2"
			record(t, h, p)
		}, "stopped", "read process of mini-1: no row yet"},
		{"no table, crashed", func(h *host) {
			h.Ends("failed", "failed", "exit-code", 1, 2, 0)
			if err := os.WriteFile(h.Settings.Database, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "crashed", "read process of mini-1: DATABASE has no table xmrig_processes: the miner's state is not recorded there; it is waited for, until the migrations of its application have made it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			tt.prepare(h)
			want := strings.Replace(tt.err, "DATABASE", h.Settings.Database, 1)
			settings := h.SettingsFile()
			out, err := run(t, "status", "--settings", settings)
			if out != "" || err == nil || err.Error() != want || exitCode(err) != 1 {
				t.Errorf("printed %q, error\n%v\nwant\n%s", out, err, want)
			}
			out, err = run(t, "status", "--json", "--settings", settings)
			if err == nil || err.Error() != want {
				t.Errorf("error\n%v\nwant\n%s", err, want)
			}
			var s agent.Status
			if err := json.Unmarshal([]byte(out), &s); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if s.State != tt.state || s.LastError != want || s.Hostname != "mini-1" || s.ErrorCount != 0 || s.LastHealthCheckAt != nil {
				t.Errorf("status is %s", out)
			}
		})
	}
}

// Reading changes nothing, neither while the daemon runs nor after its death.
func TestStatusLeavesDatabase(t *testing.T) {
	h := newHost(t)
	record(t, h, hashing(h))
	before, err := os.ReadFile(h.Settings.Database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "status", "--settings", h.SettingsFile()); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(h.Settings.Database)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the database was written")
	}
}

// While systemd waits to start the miner again, nothing is told of the process that
// has ended.
func TestStatusRestarting(t *testing.T) {
	h := newHost(t)
	p := hashing(h)
	p.State, p.PID, p.Hashrate, p.Snapshot = "restarting", 0, nil, nil
	record(t, h, p)
	h.Write("run/agent.json", `{"checked_at": "2026-11-22T23:10:00Z", "faults": ["the disk is full", "a table is missing"]}`)
	out, _, err := h.command("status")
	if err != nil || strings.Contains(out, "shares") {
		t.Errorf("status is\n%s, %v", out, err)
	}
	if got := regexp.MustCompile(`(?m)^fault .*`).FindAllString(out, -1); len(got) != 2 {
		t.Errorf("faults are %q in\n%s", got, out)
	}
}

// Without a table of commands, history still tells the decisions.
func TestHistoryWithoutCommands(t *testing.T) {
	h := newHost(t)
	h.SQLite("CREATE TABLE schema_migrations (version)")
	own, err := store.OpenOwn(t.Context(), h.Own())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := own.AddDecision(t.Context(), "mini-1", store.Decision{At: time.Now(), State: "running", Cause: "healthy"}); err != nil {
		t.Fatal(err)
	}
	if out, _, err := h.command("history"); err != nil || !strings.HasSuffix(out, "  running, healthy\n") {
		t.Errorf("history is %q, %v", out, err)
	}
}

// A paused miner is told as that while its state is running, with figures as of
// now; an error of the past is not told.
func TestStatusPaused(t *testing.T) {
	h := newHashingHost(t)
	h.Says("pool-lost", "")
	h.start(true)
	h.AwaitDecision(health.CausePoolDown)
	const minute = "0.0,2000.0,4000.0"
	h.Says("job-paused", minute)
	h.AwaitDecision(health.CausePaused)
	var s agent.Status
	h.Until(func() bool {
		out, _, err := h.command("status", "--json")
		s = agent.Status{}
		return err == nil && json.Unmarshal([]byte(out), &s) == nil && strings.Contains(s.Evidence, " polls, ")
	}, func() string { return "the evidence stays " + s.Evidence })
	if s.State != "running" || s.Cause != "paused" || !s.Paused || s.LastError != "" {
		t.Errorf("status is %+v", s)
	}
	want := " (as of " + s.Daemon.CheckedAt.Format(time.DateTime) + " UTC)"
	if !strings.HasPrefix(s.Evidence, "paused, 0.0 H/s for ") || !strings.HasSuffix(s.Evidence, want) {
		t.Errorf("evidence is %q, want at its end %q", s.Evidence, want)
	}
	out, _, err := h.command("status")
	if err != nil || !regexp.MustCompile(`(?m)^cause +paused$`).MatchString(out) {
		t.Errorf("status is\n%s, %v", out, err)
	}
}

// What the agent says of itself and whom the configuration pays are told with
// the row, and where there is none.
func TestStatusOfAgent(t *testing.T) {
	h := newHashingHost(t)
	h.Write("config.json", `{"pools": [{"url": "pool.example:443", "user": "48abc"}]}`)
	h.Write("run/agent.json", `{"version": "0.1.0", "pid": 42, "checked_at": "2026-11-22T23:10:00Z", "faults": ["a"], "new": 1}`)
	for _, recorded := range []bool{false, true} {
		if recorded {
			record(t, h, hashing(h))
		}
		out, _, _ := h.command("status", "--json")
		var s agent.Status
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatal(err)
		}
		if s.Daemon == nil || s.Daemon.PID != 42 || len(s.Daemon.Faults) != 1 {
			t.Errorf("recorded %v: daemon is %+v", recorded, s.Daemon)
		}
		if s.Config == nil || len(s.Config.Payees) != 1 || s.Config.Payees[0] != agent.Payee("pool.example:443", "48abc") {
			t.Errorf("recorded %v: config is %+v", recorded, s.Config)
		}
	}
}
