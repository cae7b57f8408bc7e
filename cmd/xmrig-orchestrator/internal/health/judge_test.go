package health

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// recorded reads a summary that XMRig 6.26.0 sent, with other hashrates where
// they are given.
func recorded(t *testing.T, name, rates string) *miner.Summary {
	t.Helper()
	b, err := os.ReadFile("../miner/testdata/" + name + ".summary.json")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if rates != "" {
		i := strings.Index(text, `"total": [`)
		j := i + strings.Index(text[i:], "]")
		text = text[:i] + `"total": [` + rates + text[j:]
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

func TestJudge(t *testing.T) {
	const young, old = 119 * time.Second, 120 * time.Second
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
		problem string
	}{
		{"stopped", unit("inactive", "dead", "success"), nil, "", "", "stopped", ""},
		{"stopped, another miner answers", unit("inactive", "dead", "success"), nil, "job-paused", "100,100,100", "stopped", ""},
		{"no unit", systemd.Unit{Name: agent.MinerUnit, Load: "not-found", Active: "inactive"}, nil, "", "", "stopped", "xmrig.service: not installed"},
		{"no valid configuration", failed, nil, "", "", "crashed", "xmrig.service: exit-code: exit status 2: no valid configuration"},
		{"start limit", unit("failed", "failed", "start-limit-hit"), nil, "", "", "crashed", "xmrig.service: start-limit-hit"},
		{"crash, systemd waits", restarting, nil, "", "", "restarting", "xmrig.service: signal: signal 11"},
		{"crash, systemd 254 waits", unit("activating", "auto-restart-queued", "success"), nil, "", "", "restarting", "xmrig.service: ended without an error"},
		{"ExecStartPre", unit("activating", "start-pre", "success"), nil, "", "", "starting", ""},
		{"stopping", unit("deactivating", "stop-sigterm", "success"), nil, "", "", "stopping", ""},

		{"API not up yet", service(young), nil, "", "", "starting", ""},
		{"API never came up", service(old), nil, "", "", "unhealthy", "miner api 127.0.0.1:8080: connection refused"},
		{"never connected, young", service(young), nil, "never-connected", "", "starting", ""},
		{"never connected", service(old), nil, "never-connected", "", "unhealthy", "no pool: never connected"},
		{"dataset being built", service(young), nil, "logged-in-no-job", "", "starting", ""},
		{"no job", service(old), nil, "logged-in-no-job", "", "unhealthy", "no hashrate, although connected to pool 127.0.0.1:33333"},
		{"paused", service(old), nil, "job-paused", "", "unhealthy", "paused"},
		{"pool lost", service(old), nil, "pool-lost", "", "unhealthy", "pool 127.0.0.1:33333: not connected"},
		{"pool lost just now", service(old), nil, "pool-lost", "0.0,3100.2,4000.1", "running", ""},
		{"first hashes", service(young), nil, "logged-in-no-job", "4012.5,null,null", "running", ""},
		{"hashing", service(old), nil, "logged-in-no-job", "4012.5,4013.1,4000.9", "running", ""},
		{"dataset being rebuilt", service(old), nil, "logged-in-no-job", "0.0,2900.0,4000.9", "running", ""},
		{"zero for a minute", service(old), nil, "logged-in-no-job", "0.0,0.0,3000.0", "unhealthy", "no hashrate, although connected to pool 127.0.0.1:33333"},
		{"one thread never hashed", service(old), nil, "logged-in-no-job", "null,null,null", "unhealthy", "no hashrate, although connected to pool 127.0.0.1:33333"},

		{"systemctl fails, hashing", systemd.Unit{}, noBus, "logged-in-no-job", "4012.5,4013.1,4000.9", "running", ""},
		{"systemctl fails, API too", systemd.Unit{}, noBus, "", "", "unhealthy", "miner api 127.0.0.1:8080: connection refused; systemctl show xmrig.service: exit status 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Observation{At: noon, Unit: tt.unit, UnitErr: tt.unitErr, APIErr: refused}
			if tt.file != "" {
				o.Summary, o.APIErr = recorded(t, tt.file, tt.rates), nil
			}
			if state, problem := Judge(o); state != tt.state || problem != tt.problem {
				t.Errorf("%s %q, want %s %q", state, problem, tt.state, tt.problem)
			}
		})
	}
}
