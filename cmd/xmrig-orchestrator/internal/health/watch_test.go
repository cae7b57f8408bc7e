package health

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// A tale is a miner that is polled each 10 s, told in words.
type tale struct {
	t       *testing.T
	policy  Policy
	watch   Watch
	o       Observation
	summary miner.Summary
	rate    float64 // when it hashes
	diff    float64 // 0: 10^9, so that no share is expected
	uptime  int64
	zeros   int // polls without hashrate
	begun   time.Duration
	trace   strings.Builder
	last    string
}

func newTale(t *testing.T, s agent.Settings) *tale {
	p := &tale{t: t, policy: NewPolicy(s), rate: 1000}
	p.o = Observation{At: noon, Since: 10 * time.Hour, BootID: "one", Desired: agent.Running}
	p.o.Unit = service(0)
	p.begun = p.o.Since - 24*time.Hour
	p.summary = *recorded(t, "logged-in-no-job", "0.0,0.0,0.0")
	return p
}

// tell polls as often as each scene says: "6 hash, 3 idle".
func (p *tale) tell(story string) *tale {
	for scene := range strings.SplitSeq(story, ", ") {
		var n int
		var what string
		if _, err := fmt.Sscan(scene, &n, &what); err != nil {
			p.t.Fatalf("%s: %v", scene, err)
		}
		p.scene(n, what)
	}
	return p
}

func (p *tale) scene(n int, what string) {
	switch what {
	case "gap": // seconds
		p.o.Since += time.Duration(n) * time.Second
	case "step": // of the wall clock, in seconds
		p.o.At = p.o.At.Add(time.Duration(n) * time.Second)
	case "agent": // is restarted
		b, err := json.Marshal(p.watch)
		if err != nil {
			p.t.Fatal(err)
		}
		p.watch = Watch{}
		if err := json.Unmarshal(b, &p.watch); err != nil {
			p.t.Fatal(err)
		}
	case "reboot":
		p.o.BootID, p.o.Since = p.o.BootID+"+", 10*time.Second
		p.o.Unit.Restarts = 0
		p.process(1)
	case "restart": // by whoever; systemd counts anew
		p.o.Unit.Restarts = 0
		p.process(n)
	case "crash": // and systemd restarts it
		p.o.Unit.Restarts += n
		p.process(n)
	case "unwanted":
		p.o.Desired = agent.Stopped
	default:
		for range n {
			p.poll(what)
		}
	}
}

func (p *tale) process(n int) {
	p.o.Unit.PID += n
	p.o.Unit.Started = p.o.Unit.Started.Add(time.Hour)
	p.begun, p.o.CPU, p.uptime = p.o.Since, 0, 0
}

func (p *tale) poll(what string) {
	p.o.Since += 10 * time.Second
	p.o.At = p.o.At.Add(10 * time.Second)
	o := p.o
	o.Unit.Age = o.Since - p.begun
	s := p.summary
	s.Paused = what == "paused"
	s.Connection.UptimeMS += p.uptime
	p.uptime += 10000
	s.Connection.Diff = 1e9
	if p.diff > 0 {
		s.Connection.Diff = p.diff
	}
	rates := func(rate float64) {
		if p.zeros++; rate > 0 {
			p.zeros = 0
		}
		minute, quarter := p.rate*max(0, float64(6-p.zeros)), p.rate
		s.Hashrate.Total = [3]*float64{&rate, &minute, &quarter}
	}
	work := true
	if what == "hash" {
		rates(p.rate)
	} else {
		rates(0)
	}
	switch what {
	case "hash":
	case "thread":
		rates(p.rate / 2)
		zero := 0.0
		o.Backends = &miner.Backends{Threads: []*float64{&p.rate, &zero}}
	case "busy":
	case "null":
		s.Hashrate.Total = [3]*float64{}
	case "pool":
		s.Connection.IP, s.Connection.UptimeMS, s.Connection.Diff, p.uptime = nil, 0, 0, 0
		work = false
	case "nojob":
		s.Connection.Diff = 0
		work = false
	case "silent", "garbled", "taken":
	case "idle", "frozen", "paused", "inactive":
		work = false
	default:
		p.t.Fatalf("no scene %q", what)
	}
	o.Summary = &s
	switch what {
	case "silent", "frozen":
		o.Summary, o.APIErr = nil, errors.New("refused")
	case "taken":
		o.Foreign = &port.Owner{PID: 20, Exe: "/opt/xmrig"}
		o.Summary, o.APIErr = nil, errors.New("is answered by another process")
	case "garbled":
		_, o.APIErr = miner.Parse(nil)
		o.Summary = nil
	case "inactive":
		o.Summary, o.APIErr = nil, errors.New("refused")
		o.Unit = systemd.Unit{Name: agent.MinerUnit, Load: "loaded", Active: "inactive", Result: "success", Restarts: o.Unit.Restarts}
	}
	if work {
		p.o.CPU += 20 * time.Second
	}
	o.CPU = p.o.CPU

	var d Decision
	before := p.watch
	d, p.watch = p.watch.Decide(o, p.policy)
	if again, same := before.Decide(o, p.policy); !reflect.DeepEqual(again, d) || !reflect.DeepEqual(same, p.watch) {
		p.t.Errorf("not pure: %+v, then %+v", d, again)
	}
	line := fmt.Sprintf("%s %s", d.State, d.Cause)
	if d.Alert {
		line += " alert"
	}
	if d.Action != None {
		line += " " + string(d.Action)
	}
	switch {
	case d.Action != None:
		fmt.Fprintf(&p.trace, "%s at %v\n", line, o.Since-10*time.Hour)
	case line != p.last:
		fmt.Fprintf(&p.trace, "%s\n", line)
	}
	p.last = line
}

func TestStories(t *testing.T) {
	tests := []struct {
		name, story, want string
	}{
		{"a wedge", "6 hash, 2 idle", "running healthy|running wedged"},
		{"a wedge is restarted at the third poll", "6 hash, 3 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s"},
		{"no CPU time for a moment", "6 hash, 2 idle, 1 busy, 2 idle, 6 hash", "running healthy|running wedged|running dataset|running wedged|running healthy"},
		{"the agent restarts amid a wedge", "6 hash, 2 idle, 1 agent, 1 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s"},
		{"the agent is away amid a wedge", "6 hash, 2 idle, 3600 gap, 2 idle", "running healthy|running wedged|running dataset|running wedged"},
		{"and sees it afresh", "6 hash, 2 idle, 3600 gap, 4 idle", "running healthy|running wedged|running dataset|running wedged|unhealthy wedged alert restart at 1h2m0s"},
		{"a wedge that one answer hides", "6 hash, 2 idle, 1 garbled, 1 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m40s"},
		{"the wall clock steps", "6 hash, 2 idle, 86400 step, 1 agent, 6 hash", "running healthy|running wedged|running healthy"},

		{"a restart that did not help waits for the grace", "6 hash, 3 idle, 1 restart, 15 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s|starting starting|unhealthy wedged|unhealthy wedged alert restart at 3m50s|unhealthy wedged alert"},
		{"the back-off doubles", "6 hash, 3 idle, 1 restart, 1 hash, 10 idle, 1 restart, 1 hash, 15 idle, 1 restart, 1 hash, 27 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s|running healthy|running wedged|unhealthy wedged alert|unhealthy wedged alert restart at 2m40s|unhealthy wedged alert|running healthy|running wedged|unhealthy wedged alert|unhealthy wedged alert restart at 5m30s|unhealthy wedged alert|running healthy|running wedged|unhealthy wedged alert|unhealthy wedged alert restart at 10m10s|unhealthy wedged alert"},
		{"and is forgotten after half an hour of health", "6 hash, 3 idle, 1 restart, 1 hash, 6 idle, 1 restart, 182 hash, 3 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s|running healthy|running wedged|unhealthy wedged alert|unhealthy wedged alert restart at 2m40s|running healthy|running wedged|unhealthy wedged alert restart at 33m30s"},
		{"a restart that nobody did is asked for again", "6 hash, 8 idle, 2 idle", "running healthy|running wedged|unhealthy wedged alert restart at 1m30s|unhealthy wedged alert|unhealthy wedged alert restart at 2m30s|unhealthy wedged alert"},
		{"it is to be stopped", "6 hash, 1 unwanted, 9 idle", "running healthy|running wedged|unhealthy wedged alert"},

		{"a pool is away for a day", "6 hash, 8640 pool, 6 hash", "running healthy|running pool-down|unhealthy pool-down|unhealthy pool-down alert|running healthy"},
		{"and sends no job", "6 hash, 60 pool, 60 nojob, 6 hash", "running healthy|running pool-down|unhealthy pool-down|unhealthy pool-down alert|unhealthy no-job|unhealthy no-job alert|running healthy"},
		{"from the start", "1 restart, 40 pool, 6 hash", "starting starting|unhealthy pool-down|unhealthy pool-down alert|running healthy"},
		{"the API is lost, too", "6 hash, 60 pool, 20 frozen, 1 pool", "running healthy|running pool-down|unhealthy pool-down|unhealthy pool-down alert|unhealthy api-dead|unhealthy pool-down"},
		{"the pool goes while the API is lost", "6 hash, 2 pool, 5 frozen, 20 pool", "running healthy|running pool-down|unhealthy api-dead|unhealthy pool-down|unhealthy pool-down alert"},
		{"the agent was away when the pool went", "6 hash, 3600 gap, 1 pool, 1 agent, 30 pool", "running healthy|running pool-down|unhealthy pool-down|unhealthy pool-down alert"},

		{"a rebuild", "6 hash, 8 busy, 1 null, 6 hash", "running healthy|running dataset|running thread-dead|running healthy"},
		{"a slow one", "6 hash, 60 busy, 1 null, 6 hash", "running healthy|running dataset|unhealthy dataset alert|running thread-dead|running healthy"},
		{"one without an end", "6 hash, 91 busy", "running healthy|running dataset|unhealthy dataset alert|unhealthy hashless alert restart at 16m10s"},
		{"a slow start", "1 restart, 30 busy, 1 null, 6 hash", "starting starting|starting dataset|unhealthy dataset alert|running thread-dead|running healthy"},

		{"the API is silent for a moment", "6 hash, 2 silent, 6 hash", "running healthy"},
		{"for long", "6 hash, 29 silent, 6 hash", "running healthy|unhealthy api-dead|running healthy"},
		{"for good", "6 hash, 31 silent, 1 restart, 6 hash", "running healthy|unhealthy api-dead|unhealthy api-dead alert restart at 6m0s|unhealthy api-dead alert|running healthy"},
		{"one restart only", "6 hash, 31 silent, 1 restart, 400 silent", "running healthy|unhealthy api-dead|unhealthy api-dead alert restart at 6m0s|unhealthy api-dead alert|starting starting|unhealthy api-dead|unhealthy api-dead alert"},
		{"all of it is frozen", "6 hash, 31 frozen, 1 restart, 2 hash, 31 frozen", "running healthy|unhealthy api-dead|unhealthy wedged alert restart at 6m0s|unhealthy wedged alert|running healthy|unhealthy api-dead|unhealthy wedged alert restart at 11m30s|unhealthy wedged alert"},
		{"a pool goes in a long silence", "6 hash, 3 silent, 25 frozen, 20 pool", "running healthy|unhealthy api-dead|unhealthy pool-down|unhealthy pool-down alert"},
		{"silence after garbage", "6 hash, 20 garbled, 31 frozen, 20 pool", "running healthy|running api-garbled|unhealthy api-dead|unhealthy api-dead alert restart at 9m30s|unhealthy pool-down|unhealthy pool-down alert"},
		{"only garbage", "6 hash, 100 garbled, 6 hash", "running healthy|running api-garbled|running api-garbled alert|running healthy"},

		{"the port is taken at the start", "1 restart, 400 taken", "unhealthy port-taken alert"},
		{"and given back soon", "1 restart, 6 taken, 30 silent, 1 restart, 1 busy, 6 hash", "unhealthy port-taken alert|starting starting|unhealthy api-dead|unhealthy api-dead alert restart at 5m10s|unhealthy api-dead alert|starting starting|running healthy"},
		{"late", "1 restart, 60 taken, 2 silent, 1 restart, 6 hash", "unhealthy port-taken alert|unhealthy api-dead alert restart at 10m10s|unhealthy api-dead alert|running healthy"},
		{"and taken again", "1 restart, 60 taken, 1 silent, 1 restart, 60 taken, 1 silent, 1 restart, 90 silent", "unhealthy port-taken alert|unhealthy api-dead alert restart at 10m10s|unhealthy port-taken alert|unhealthy api-dead alert restart at 20m20s|starting starting|unhealthy api-dead|unhealthy api-dead alert"},
		{"taken after a crash", "6 hash, 1 crash, 60 taken", "running healthy|unhealthy port-taken alert"},

		{"a thread stands still", "6 hash, 12 thread, 2 thread", "running healthy|running thread-dead|unhealthy thread-dead alert restart at 3m20s"},
		{"for a moment", "6 hash, 12 thread, 6 hash", "running healthy|running thread-dead|running healthy"},
		{"from the start", "1 restart, 25 null, 1 null", "starting starting|running thread-dead|unhealthy thread-dead alert restart at 4m10s|unhealthy thread-dead alert"},

		{"paused", "6 hash, 6 paused", "running healthy|running paused|unhealthy paused"},
		{"for good", "6 hash, 7 paused, 1 restart, 2 hash, 30 paused", "running healthy|running paused|unhealthy paused|unhealthy paused alert restart at 2m10s|running healthy|running paused|unhealthy paused|unhealthy paused alert"},
		{"on purpose", "6 hash, 1 unwanted, 60 paused", "running healthy|running paused|unhealthy paused|unhealthy paused alert"},

		{"five crashes in ten minutes", "6 hash, 1 crash, 6 hash, 1 crash, 6 hash, 3 crash, 6 hash", "running healthy"},
		{"six", "6 hash, 1 crash, 6 hash, 1 crash, 6 hash, 4 crash, 2 hash, 6 inactive", "running healthy|crashed crash-loop alert stop at 3m10s|crashed crash-loop alert stop at 3m20s|crashed crash-loop alert"},
		{"the operator starts it", "6 hash, 6 crash, 1 hash, 6 inactive, 1 agent, 6 inactive, 1 restart, 6 hash", "running healthy|crashed crash-loop alert stop at 1m10s|crashed crash-loop alert|running healthy"},
		{"six in an hour", "6 hash, 2 crash, 200 hash, 2 crash, 200 hash, 2 crash, 6 hash", "running healthy"},
		{"six, some time while the agent was away", "6 hash, 3600 gap, 6 crash, 6 hash", "running healthy"},
		{"before the agent knew it", "9 crash, 6 hash", "running healthy"},
		{"before a reboot", "6 hash, 5 crash, 1 hash, 1 reboot, 6 hash, 1 crash, 6 hash", "running healthy"},
		{"stopped", "6 hash, 6 inactive, 1 restart, 6 hash", "running healthy|stopped stopped|running healthy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{})
			p.tell(tt.story)
			if got := strings.ReplaceAll(strings.TrimSpace(p.trace.String()), "\n", "|"); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.story, got, tt.want)
			}
		})
	}
}

func TestImmediate(t *testing.T) {
	tests := []struct {
		name, story, want string
	}{
		{"zero", "6 hash, 1 pool", "running healthy|unhealthy pool-down alert restart at 1m10s"},
		{"and again", "6 hash, 2 pool", "running healthy|unhealthy pool-down alert restart at 1m10s|unhealthy pool-down alert restart at 1m20s"},
		{"silence", "6 hash, 1 silent", "running healthy|unhealthy api-dead alert restart at 1m10s"},
		{"garbage", "6 hash, 9 garbled", "running healthy|running api-garbled"},
		{"a port that is taken", "6 hash, 1 crash, 9 taken", "running healthy|unhealthy port-taken alert"},
		{"a start has its grace", "1 restart, 11 busy, 2 busy", "starting starting|unhealthy dataset alert restart at 2m0s|unhealthy dataset alert restart at 2m10s"},
		{"no circuit breaker", "6 hash, 9 crash, 2 hash", "running healthy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTale(t, agent.Settings{RestartPolicy: "immediate"})
			p.tell(tt.story)
			if got := strings.ReplaceAll(strings.TrimSpace(p.trace.String()), "\n", "|"); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.story, got, tt.want)
			}
		})
	}
}
