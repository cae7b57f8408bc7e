package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// run runs a command and returns what it printed.
func run(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	m := NewMain()
	m.Stdout, m.Stderr = &out, &out
	m.MinerConfig = filepath.Join(t.TempDir(), "config.json")
	m.Proc, m.RunDir, m.Own = t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "own.sqlite3")
	m.Now = func() time.Time { return time.Date(2026, 11, 22, 23, 10, 30, 0, time.UTC) }
	err = m.Run(t.Context(), args)
	return out.String(), err
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		args string
		out  string
		err  string
		code int
	}{
		{"version", "xmrig-orchestrator " + agent.Version + "\n", "", 0},
		{"--help", usage, "", 0},
		{"status -h", usage, "", 0},
		{"help", usage, "", 0},
		{"restart", "", `unknown command "restart": see xmrig-orchestrator --help`, 64},
		{"--json", "", "flag provided but not defined: -json: see xmrig-orchestrator --help", 64},
		{"status now", "", `unexpected argument "now": see xmrig-orchestrator --help`, 64},
		{"check --wait soon", "", `invalid value "soon" for flag -wait: parse error: see xmrig-orchestrator --help`, 64},
		{"--settings /nowhere", "", "read settings: open /nowhere: no such file or directory; xmrfleet apply writes it", 1},
		{"run --settings /nowhere", "", "read settings: open /nowhere: no such file or directory; xmrfleet apply writes it", 1},
	}
	for _, tt := range tests {
		out, err := run(t, strings.Fields(tt.args)...)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if out != tt.out || text != tt.err || exitCode(err) != tt.code {
			t.Errorf("%s:\n got %q, error %q, exit %d\nwant %q, error %q, exit %d",
				tt.args, out, text, exitCode(err), tt.out, tt.err, tt.code)
		}
	}
}

func TestSettings(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	defaults := agent.Settings{
		Hostname: name, WorkerID: name + "-production", Database: agent.Database,
		Interval: agent.Duration(10 * time.Second), API: agent.API{Address: "127.0.0.1:8080"},
		RestartPolicy: "evidence", Desired: "running",
	}
	full := agent.Settings{
		Hostname: "mini-1", WorkerID: "rig", Database: "/mnt/db", Interval: agent.Duration(time.Minute),
		API: agent.API{Address: "[::1]:80", Token: "s3cret"}, RestartPolicy: "immediate", Desired: "stopped",
	}
	elsewhere := full
	elsewhere.Database = "/from/env"
	const text = `{"hostname": "mini-1", "worker_id": "rig", "database": "/mnt/db", "interval": "1m",
  "api": {"address": "[::1]:80", "token": "s3cret"}, "restart_policy": "immediate", "desired": "stopped", "of_a_later_version": 1}`
	tests := []struct {
		name, text, env string
		want            agent.Settings
		err             string // "FILE" for its name
	}{
		{"defaults", "{}", "", defaults, ""},
		{"all", text, "", full, ""},
		{"XMRIG_DB_PATH", text, "/from/env", elsewhere, ""},
		{"no JSON", "{", "", agent.Settings{}, "read settings FILE: unexpected end of JSON input"},
		{"interval without a unit", `{"interval": "10"}`, "", agent.Settings{}, `read settings FILE: time: missing unit in duration "10"`},
		{"all mistakes at once", `{"interval": "-1s", "api": {"address": "localhost", "token": "a\r\nb"}, "restart_policy": "often", "desired": "absent"}`, "", agent.Settings{},
			"read settings FILE: interval -1s: not positive\n" +
				"api.address: address localhost: missing port in address\n" +
				"api.token: only printable ASCII is allowed\n" +
				"restart_policy \"often\": neither evidence nor immediate\n" +
				"desired \"absent\": neither running nor stopped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("XMRIG_DB_PATH", tt.env)
			file := filepath.Join(t.TempDir(), "orchestrator.json")
			if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := loadSettings(file)
			if tt.err != "" {
				if want := strings.Replace(tt.err, "FILE", file, 1); err == nil || err.Error() != want {
					t.Errorf("error is\n%v\nwant\n%s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("settings are\n%+v\nwant\n%+v", got, tt.want)
			}
		})
	}
}
