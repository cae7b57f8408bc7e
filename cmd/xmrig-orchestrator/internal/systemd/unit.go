// Package systemd asks systemd for the state of a unit (unit.go) and for its log
// (journal.go), has it start and stop units (control.go), and tells it how the
// agent itself is (notify.go). Boot and monotonic clock are as systemd counts
// them (boot.go, clock_*.go).
//
// It runs systemctl and journalctl: a D-Bus connection would cost memory all the
// time. It decides nothing, and does to a unit only what a Verb says. Another
// property of a unit is a name in properties, a field of Unit and its line in
// parse.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// timeout is for programs that only read.
const timeout = 5 * time.Second

// properties are those that a Unit is read from: systemd.service(5),
// org.freedesktop.systemd1(5).
const properties = "LoadState,ActiveState,SubState,UnitFileState,Result,InvocationID,MainPID,NRestarts," +
	"ExecMainCode,ExecMainStatus,ExecMainStartTimestamp," +
	"ExecMainStartTimestampMonotonic,ExecMainExitTimestamp"

// A Unit is the state of a service at one moment.
type Unit struct {
	Name   string
	Load   string // "loaded", "not-found", ...
	Active string // "active", "inactive", "failed", "activating", ...
	Sub    string // "running", "dead", "auto-restart", ...
	File   string // "enabled", "disabled", ...: whether it is started at boot
	Result string // "success", or why the service failed

	// Invocation is systemd's ID of the unit's last start, by whomever; "" if
	// there was none in this boot.
	Invocation string

	PID      int // of the main process; 0 when there is none
	Restarts int // by systemd itself, since somebody last started the unit
	Code     int // how the main process ended: CLD_EXITED ..., 0 if it did not
	Status   int // its exit status or signal

	Started time.Time     // of the last main process; zero if there was none
	Exited  time.Time     // of the last main process; zero while it runs
	Age     time.Duration // of the running main process, by the monotonic clock
}

// Show asks systemd for the state of a service.
func Show(ctx context.Context, name string) (Unit, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := command(ctx, "systemctl", "show", "-p", properties, "--", name).Output()
	if err != nil {
		return Unit{}, fmt.Errorf("systemctl show %s: %w", name, reason(ctx, err))
	}
	up, err := SinceBoot()
	if err != nil {
		return Unit{}, fmt.Errorf("systemctl show %s: %w", name, err)
	}
	u, err := parse(string(out), up)
	if err != nil {
		return Unit{}, fmt.Errorf("systemctl show %s: %w", name, err)
	}
	u.Name = name
	return u, nil
}

// reason is why a program failed: ctx, or the first line that it printed.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		line, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return fmt.Errorf("%w: %s", err, line)
	}
	return err
}

// parse reads the output of systemctl show. Up is the monotonic clock's time.
func parse(out string, up time.Duration) (Unit, error) {
	p := make(map[string]string)
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		p[key] = value
	}
	if p["ActiveState"] == "" {
		return Unit{}, errors.New("no ActiveState in its output")
	}
	u := Unit{Load: p["LoadState"], Active: p["ActiveState"], Sub: p["SubState"], File: p["UnitFileState"], Result: p["Result"], Invocation: p["InvocationID"]}

	var errs []error
	number := func(key string) int {
		if p[key] == "" {
			return 0
		}
		n, err := strconv.Atoi(p[key])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		return n
	}
	moment := func(key string) time.Time {
		t, err := parseTime(p[key])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		return t
	}
	u.PID, u.Restarts = number("MainPID"), number("NRestarts")
	u.Code, u.Status = number("ExecMainCode"), number("ExecMainStatus")
	u.Started, u.Exited = moment("ExecMainStartTimestamp"), moment("ExecMainExitTimestamp")
	if start := number("ExecMainStartTimestampMonotonic"); u.PID != 0 {
		u.Age = up - time.Duration(start)*time.Microsecond
	}
	return u, errors.Join(errs...)
}

// parseTime reads a timestamp as systemctl prints it under TZ=UTC.
func parseTime(s string) (time.Time, error) {
	if s == "" || s == "n/a" {
		return time.Time{}, nil
	}
	if !strings.HasSuffix(s, " UTC") {
		return time.Time{}, fmt.Errorf("time %q is not in UTC", s)
	}
	return time.Parse("Mon 2006-01-02 15:04:05 MST", s)
}

const exited = 1 // CLD_EXITED

// Exit is the exit status of the main process, -1 if it has none: it runs, or a
// signal ended it.
func (u Unit) Exit() int {
	if u.Code != exited {
		return -1
	}
	return u.Status
}

// Failure says how the service's last run failed, "" if it did not.
func (u Unit) Failure() string {
	switch {
	case u.Result == "success" || u.Result == "":
		return ""
	case u.Code == exited:
		return fmt.Sprintf("%s: %s: exit status %d", u.Name, u.Result, u.Status)
	case u.Result == "signal":
		return fmt.Sprintf("%s: signal %d", u.Name, u.Status)
	case u.Code != 0:
		return fmt.Sprintf("%s: %s: signal %d", u.Name, u.Result, u.Status)
	}
	return fmt.Sprintf("%s: %s", u.Name, u.Result)
}
