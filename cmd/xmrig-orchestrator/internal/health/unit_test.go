package health

import (
	"errors"
	"strings"
	"testing"
	"time"

	bodies "xmrfleet/cmd/internal/recorded"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// recorded reads a summary that XMRig 6.26.0 sent, with other hashrates where
// they are given, and then with a job.
func recorded(t *testing.T, name, rates string) *miner.Summary {
	t.Helper()
	text := bodies.Body(name + ".summary")
	if rates != "" {
		i := strings.Index(text, `"total": [`)
		j := i + strings.Index(text[i:], "]")
		text = text[:i] + `"total": [` + rates + text[j:]
		text = strings.Replace(text, `"algo": null`, `"algo": "rx/0"`, 2)
		text = strings.Replace(text, `"diff": 0`, `"diff": 10000`, 1)
	}
	s, err := miner.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// service is the miner's unit with a process of an age.
func service(age time.Duration) systemd.Unit {
	return systemd.Unit{
		Name: agent.MinerUnit, Load: "loaded", Active: "active", Sub: "running", Result: "success",
		PID: 4711, Started: noon, Age: age,
	}
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// What is decided from one poll alone: the first one of an agent, and the one of
// its status command without a database.
func TestDecideAtOnce(t *testing.T) {
	const young, old = 119 * time.Second, 240 * time.Second
	refused := errors.New("miner api 127.0.0.1:8080: connection refused")
	noBus := errors.New("systemctl show xmrig.service: exit status 1")
	unit := func(active, sub, result string) systemd.Unit {
		return systemd.Unit{Name: agent.MinerUnit, Load: "loaded", Active: active, Sub: sub, Result: result}
	}
	failed := unit("failed", "failed", "exit-code")
	failed.Code, failed.Status = 1, 2
	restarting := unit("activating", "auto-restart", "signal")
	restarting.Code, restarting.Status = 2, 11

	tests := []struct {
		name    string
		unit    systemd.Unit
		unitErr error
		file    string // recorded summary; "" when the API is refused
		rates   string
		state   string
		cause   Cause
		problem string
	}{
		{"stopped", unit("inactive", "dead", "success"), nil, "", "", "stopped", "stopped", ""},
		{"stopped, another miner answers", unit("inactive", "dead", "success"), nil, "job-paused", "100,100,100", "stopped", "stopped", ""},
		{"no unit", systemd.Unit{Name: agent.MinerUnit, Load: "not-found", Active: "inactive"}, nil, "", "", "stopped", "stopped", "xmrig.service: not installed"},
		{"no valid configuration", failed, nil, "", "", "crashed", "config", "xmrig.service: exit-code: exit status 2: no valid configuration"},
		{"start limit", unit("failed", "failed", "start-limit-hit"), nil, "", "", "crashed", "crashed", "xmrig.service: start-limit-hit"},
		{"crash, systemd waits", restarting, nil, "", "", "restarting", "crashed", "xmrig.service: signal 11"},
		{"crash, systemd 254 waits", unit("activating", "auto-restart-queued", "success"), nil, "", "", "restarting", "crashed", "xmrig.service: ended without an error"},
		{"ExecStartPre", unit("activating", "start-pre", "success"), nil, "", "", "starting", "starting", ""},
		{"stopping", unit("deactivating", "stop-sigterm", "success"), nil, "", "", "stopping", "stopping", ""},

		{"API not up yet", service(young), nil, "", "", "starting", "starting", ""},
		{"API never came up", service(old), nil, "", "", "unhealthy", "api-dead", "miner api 127.0.0.1:8080: connection refused"},
		{"never connected, young", service(young), nil, "never-connected", "", "starting", "starting", ""},
		{"never connected", service(old), nil, "never-connected", "", "unhealthy", "pool-down", "no pool: never connected"},
		{"no job, young", service(young), nil, "logged-in-no-job", "", "starting", "starting", ""},
		{"no job", service(old), nil, "logged-in-no-job", "", "unhealthy", "no-job", "pool 127.0.0.1:33333: connected, but sends no job"},
		{"paused", service(old), nil, "job-paused", "", "unhealthy", "paused", "paused"},
		{"paused and pool lost", service(old), nil, "pool-lost", "", "unhealthy", "pool-down", "pool 127.0.0.1:33333: not connected"},
		{"pool lost just now", service(old), nil, "pool-lost", "0.0,3100.2,4000.1", "running", "pool-down", ""},
		{"first hashes", service(young), nil, "logged-in-no-job", "4012.5,null,null", "running", "healthy", ""},
		{"hashing", service(old), nil, "logged-in-no-job", "4012.5,4013.1,4000.9", "running", "healthy", ""},
		{"dataset being built, young", service(young), nil, "logged-in-no-job", "0.0,0.0,0.0", "starting", "starting", ""},
		{"dataset being rebuilt", service(old), nil, "logged-in-no-job", "0.0,2900.0,4000.9", "running", "dataset", ""},
		{"zero for a minute", service(old), nil, "logged-in-no-job", "0.0,0.0,3000.0", "running", "dataset", ""},
		{"totals null", service(old), nil, "logged-in-no-job", "null,null,null", "running", "thread-dead", ""},

		{"systemctl fails, hashing", systemd.Unit{}, noBus, "logged-in-no-job", "4012.5,4013.1,4000.9", "running", "healthy", ""},
		{"systemctl fails, API too", systemd.Unit{}, noBus, "", "", "unhealthy", "unit", "miner api 127.0.0.1:8080: connection refused; systemctl show xmrig.service: exit status 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Observation{At: noon, Since: time.Hour, Unit: tt.unit, UnitErr: tt.unitErr, APIErr: refused}
			if tt.file != "" {
				o.Summary, o.APIErr = recorded(t, tt.file, tt.rates), nil
			}
			d, _ := Watch{}.Decide(o, NewPolicy(agent.Settings{}))
			if d.State != tt.state || d.Cause != tt.cause || d.Problem != tt.problem || d.Action != None {
				t.Errorf("%s %s %q %q, want %s %s %q", d.State, d.Cause, d.Problem, d.Action, tt.state, tt.cause, tt.problem)
			}
			if d.Evidence == "" {
				t.Error("no evidence")
			}
		})
	}
}
