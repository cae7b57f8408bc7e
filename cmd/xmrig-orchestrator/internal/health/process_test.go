package health

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// line shows the fields of a row that the stories change.
func line(p Process) string {
	return fmt.Sprintf("%s pid=%d errors=%d restarts=%d %q", p.State, p.PID, p.Errors, p.Restarts, p.LastError)
}

// A story is one miner's polls and the row after each.
func TestNext(t *testing.T) {
	refused := errors.New("connection refused")
	hashing := recorded(t, "logged-in-no-job", "4012.5,4013.1,4000.9")
	lost := recorded(t, "pool-lost", "")
	run := func(pid, restarts int, start time.Time, age time.Duration) systemd.Unit {
		u := service(age)
		u.PID, u.Restarts, u.Started = pid, restarts, start
		return u
	}
	idle := func(active, sub, result string, code, status, restarts int) systemd.Unit {
		return systemd.Unit{Name: agent.MinerUnit, Load: "loaded", Active: active, Sub: sub, Result: result,
			Code: code, Status: status, Restarts: restarts, Exited: noon.Add(time.Hour)}
	}
	ok := func(u systemd.Unit) Observation { return Observation{At: noon, Unit: u, Summary: hashing} }
	down := func(u systemd.Unit) Observation { return Observation{At: noon, Unit: u, APIErr: refused} }
	poolDown := func(u systemd.Unit) Observation { return Observation{At: noon, Unit: u, Summary: lost} }
	later := noon.Add(2 * time.Hour)
	fault := `"pool 127.0.0.1:33333: not connected"`

	type poll struct {
		o    Observation
		want string
	}
	tests := []struct {
		name   string
		before Process
		polls  []poll
	}{
		{"start, run, stop", Process{}, []poll{
			{down(run(10, 0, noon, time.Second)), `starting pid=10 errors=0 restarts=0 ""`},
			{ok(run(10, 0, noon, time.Minute)), `running pid=10 errors=0 restarts=0 ""`},
			{down(idle("inactive", "dead", "success", 1, 0, 0)), `stopped pid=0 errors=0 restarts=0 ""`},
		}},
		{"an episode is one error", Process{}, []poll{
			{ok(run(10, 0, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{poolDown(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=1 restarts=0 ` + fault},
			{poolDown(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=1 restarts=0 ` + fault},
			{ok(run(10, 0, noon, time.Hour)), `running pid=10 errors=1 restarts=0 ` + fault},
			{poolDown(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=2 restarts=0 ` + fault},
			{down(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=2 restarts=0 ` + fault}, // one answer missed
			{down(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=2 restarts=0 ` + fault},
			{down(run(10, 0, noon, time.Hour)), `unhealthy pid=10 errors=3 restarts=0 "connection refused"`},
		}},
		{"a crash that a poll sees", Process{}, []poll{
			{ok(run(10, 0, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{down(idle("activating", "auto-restart", "core-dump", 3, 6, 0)), `restarting pid=0 errors=0 restarts=0 "xmrig.service: core-dump: signal 6"`},
			{down(run(11, 1, later, time.Second)), `starting pid=11 errors=1 restarts=1 "xmrig.service: core-dump: signal 6"`},
			{ok(run(11, 1, later, time.Minute)), `running pid=11 errors=1 restarts=1 "xmrig.service: core-dump: signal 6"`},
		}},
		{"a crash between two polls", Process{}, []poll{
			{ok(run(10, 4, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{down(run(12, 6, later, time.Second)), `starting pid=12 errors=2 restarts=2 "ended between two polls; systemd restarted it"`},
		}},
		{"SIGHUP ends it well", Process{}, []poll{
			{ok(run(10, 0, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{down(idle("activating", "auto-restart", "success", 1, 0, 0)), `restarting pid=0 errors=0 restarts=0 "xmrig.service: ended without an error"`},
			{down(run(11, 1, later, time.Second)), `starting pid=11 errors=1 restarts=1 "xmrig.service: ended without an error"`},
		}},
		{"a broken configuration", Process{}, []poll{
			{ok(run(10, 0, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{down(idle("failed", "failed", "exit-code", 1, 2, 0)), `crashed pid=0 errors=1 restarts=0 "xmrig.service: exit-code: exit status 2: no valid configuration"`},
			{down(idle("failed", "failed", "exit-code", 1, 2, 0)), `crashed pid=0 errors=1 restarts=0 "xmrig.service: exit-code: exit status 2: no valid configuration"`},
		}},
		{"a restart by hand sets systemd's count back", Process{}, []poll{
			{ok(run(10, 3, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{ok(run(11, 0, later, time.Hour)), `running pid=11 errors=0 restarts=0 ""`},
			{ok(run(12, 1, later.Add(time.Hour), time.Hour)), `running pid=12 errors=1 restarts=1 "ended between two polls; systemd restarted it"`},
		}},
		{"restarted while no agent ran", Process{State: agent.Running, PID: 10, StartedAt: noon, Restarts: 7, Errors: 9}, []poll{
			{ok(run(11, 2, later, time.Hour)), `running pid=11 errors=10 restarts=8 "ended between two polls; systemd restarted it"`},
			{ok(run(11, 2, later, time.Hour)), `running pid=11 errors=10 restarts=8 "ended between two polls; systemd restarted it"`},
		}},
		{"started by hand while no agent ran", Process{State: agent.Running, PID: 10, StartedAt: noon, Restarts: 7}, []poll{
			{ok(run(11, 0, later, time.Hour)), `running pid=11 errors=0 restarts=7 ""`},
		}},
		{"only the agent was restarted", Process{State: agent.Running, PID: 10, StartedAt: noon, Restarts: 7}, []poll{
			{ok(run(10, 2, noon, time.Hour)), `running pid=10 errors=0 restarts=7 ""`},
		}},
		{"the same PID after a reboot", Process{State: agent.Running, PID: 10, StartedAt: noon}, []poll{
			{ok(run(10, 0, later, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
		}},
		{"systemctl fails for a moment", Process{}, []poll{
			{ok(run(10, 1, noon, time.Hour)), `running pid=10 errors=0 restarts=0 ""`},
			{Observation{At: noon, UnitErr: refused, Summary: hashing}, `running pid=10 errors=0 restarts=0 ""`},
			{ok(run(11, 2, later, time.Hour)), `running pid=11 errors=1 restarts=1 "ended between two polls; systemd restarted it"`},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.before
			var w Watch
			var seen *systemd.Unit
			for i, poll := range tt.polls {
				var d Decision
				poll.o.Since = time.Hour + time.Duration(i)*10*time.Second
				d, w = w.Decide(poll.o, NewPolicy(agent.Settings{}))
				p = p.Next(poll.o, d, seen)
				if got := line(p); got != poll.want {
					t.Errorf("after poll %d\n got %s\nwant %s", i+1, got, poll.want)
				}
				if poll.o.UnitErr == nil {
					seen = &poll.o.Unit
				}
			}
		})
	}
}

func TestNextTimes(t *testing.T) {
	end := noon.Add(time.Hour)
	hashing := recorded(t, "logged-in-no-job", "4012.5,4013.1,4000.9")
	running := Decision{State: agent.Running}
	p := Process{}.Next(Observation{At: noon.Add(time.Minute), Unit: service(time.Minute), Summary: hashing}, running, nil)
	if !p.StartedAt.Equal(noon) || !p.StoppedAt.IsZero() || !p.CheckedAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("running: started %v, stopped %v, checked %v", p.StartedAt, p.StoppedAt, p.CheckedAt)
	}
	gone := systemd.Unit{Load: "loaded", Active: "inactive", Result: "success", Started: noon, Exited: end}
	p = p.Next(Observation{At: end, Unit: gone, APIErr: errors.New("refused")}, Decision{State: agent.Stopped}, nil)
	if !p.StartedAt.Equal(noon) || !p.StoppedAt.Equal(end) {
		t.Errorf("stopped: started %v, stopped %v", p.StartedAt, p.StoppedAt)
	}
	p = p.Next(Observation{At: end, Unit: service(time.Minute), Summary: hashing}, running, nil)
	if !p.StoppedAt.IsZero() {
		t.Errorf("running again: stopped %v", p.StoppedAt)
	}
}

// Hashrate and snapshot are in the row while the miner answers. The shares stay
// there until another process runs.
func TestNextMeasures(t *testing.T) {
	hashing := recorded(t, "logged-in-no-job", "4012.5,4013.1,4000.9")
	hashing.Results.Good, hashing.Results.Total = 97, 100
	refused := errors.New("refused")
	show := func(p Process) string {
		value := func(v *int64) string {
			if v == nil {
				return "NULL"
			}
			return fmt.Sprint(*v)
		}
		rate := "NULL"
		if p.Hashrate != nil {
			rate = fmt.Sprint(*p.Hashrate)
		}
		return fmt.Sprintf("%s H/s, %s good, %s bad, snapshot %v", rate, value(p.Accepted), value(p.Rejected), p.Snapshot != nil)
	}
	next := service(0)
	next.PID = 4712
	polls := []struct {
		o    Observation
		want string
	}{
		{Observation{Unit: service(time.Hour), Summary: hashing}, "4012.5 H/s, 97 good, 3 bad, snapshot true"},
		{Observation{Unit: service(time.Hour), APIErr: refused}, "NULL H/s, 97 good, 3 bad, snapshot false"},
		{Observation{Unit: next, APIErr: refused}, "NULL H/s, NULL good, NULL bad, snapshot false"},
		{Observation{Unit: systemd.Unit{Active: "inactive"}, Summary: hashing}, "NULL H/s, NULL good, NULL bad, snapshot false"},
	}
	var p Process
	for i, poll := range polls {
		p = p.Next(poll.o, Decision{State: agent.Running}, nil)
		if got := show(p); got != poll.want {
			t.Errorf("after poll %d\n got %s\nwant %s", i+1, got, poll.want)
		}
	}
}
