package systemd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemctl puts a script first on PATH.
func systemctl(t *testing.T, script string) {
	t.Helper()
	program(t, "systemctl", script)
}

func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

const running = `LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
Result=success
InvocationID=0f1e2d3c4b5a69788796a5b4c3d2e1f0
MainPID=4711
NRestarts=3
ExecMainCode=0
ExecMainStatus=0
ExecMainStartTimestamp=Sun 2026-11-22 23:10:00 UTC
ExecMainStartTimestampMonotonic=5000000
ExecMainExitTimestamp=n/a
`

func TestParse(t *testing.T) {
	u, err := parse(running, 65*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := Unit{
		Load: "loaded", Active: "active", Sub: "running", File: "enabled", Result: "success",
		Invocation: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
		PID:        4711, Restarts: 3,
		Started: time.Date(2026, 11, 22, 23, 10, 0, 0, time.UTC),
		Age:     time.Minute,
	}
	if !u.Started.Equal(want.Started) {
		t.Errorf("started is %v", u.Started)
	}
	u.Started = want.Started
	if u != want {
		t.Errorf("unit is\n%+v\nwant\n%+v", u, want)
	}
}

func TestParseMistakes(t *testing.T) {
	tests := []struct{ out, want string }{
		{"", "no ActiveState"},
		{"ActiveState=active\nMainPID=x\n", "MainPID: strconv.Atoi"},
		{"ActiveState=active\nExecMainStartTimestamp=Mon 2026-11-23 00:10:00 CET\n", `time "Mon 2026-11-23 00:10:00 CET" is not in UTC`},
		{"ActiveState=active\nExecMainExitTimestamp=yesterday UTC\n", "ExecMainExitTimestamp: parsing time"},
	}
	for _, tt := range tests {
		if _, err := parse(tt.out, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error is %v, want in it %s", tt.out, err, tt.want)
		}
	}
}

func TestFailure(t *testing.T) {
	tests := []struct {
		unit Unit
		want string
	}{
		{Unit{}, ""},
		{Unit{Name: "xmrig.service", Result: "success", Code: 1}, ""},
		{Unit{Name: "xmrig.service", Result: "exit-code", Code: 1, Status: 2}, "xmrig.service: exit-code: exit status 2"},
		{Unit{Name: "xmrig.service", Result: "core-dump", Code: 3, Status: 6}, "xmrig.service: core-dump: signal 6"},
		{Unit{Name: "xmrig.service", Result: "signal", Code: 2, Status: 11}, "xmrig.service: signal 11"},
		{Unit{Name: "xmrig.service", Result: "start-limit-hit"}, "xmrig.service: start-limit-hit"},
	}
	for _, tt := range tests {
		if got := tt.unit.Failure(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.unit, got, tt.want)
		}
	}
}

func TestShow(t *testing.T) {
	systemctl(t, `[ "$*" = "show -p `+properties+` -- xmrig.service" ] && [ "$TZ" = UTC ] || exit 9
cat <<'END'
`+running+"END\n")
	u, err := Show(t.Context(), "xmrig.service")
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "xmrig.service" || u.PID != 4711 || u.Age <= 0 {
		t.Errorf("unit is %+v", u)
	}
}

func TestShowFails(t *testing.T) {
	systemctl(t, "echo 'Failed to connect to bus: No such file' >&2\necho more >&2\nexit 1\n")
	_, err := Show(t.Context(), "xmrig.service")
	const want = "systemctl show xmrig.service: exit status 1: Failed to connect to bus: No such file"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// A systemctl that hangs does not hold a stop of the agent up. On a machine so
// busy that the timeout comes first, it is tried again.
func TestShowCancel(t *testing.T) {
	for end := time.Now().Add(time.Minute); ; {
		_, err := Show(hanging(t), "xmrig.service")
		if errors.Is(err, context.Canceled) {
			return
		}
		if err == nil || time.Now().After(end) {
			t.Fatalf("error is %v", err)
		}
	}
}

func TestSinceBoot(t *testing.T) {
	a, err := SinceBoot()
	if err != nil {
		t.Fatal(err)
	}
	const nap = 20 * time.Millisecond
	time.Sleep(nap)
	b, err := SinceBoot()
	if err != nil {
		t.Fatal(err)
	}
	if d := b - a; d < nap || d > time.Minute {
		t.Errorf("the clock went on by %v", d)
	}
}
