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
	"xmrfleet/modules/golden"
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

// A story is what happens to a miner, in the words of tell.
type story struct{ name, scenes string }

// told compares what the agent thinks and does in stories with a golden text:
// below each story a line for each new decision.
func told(t *testing.T, name string, s agent.Settings, stories []story) {
	t.Helper()
	var text strings.Builder
	for _, story := range stories {
		trace := newTale(t, s).tell(story.scenes).trace.String()
		fmt.Fprintf(&text, "%s: %s\n", story.name, story.scenes)
		for line := range strings.Lines(trace) {
			text.WriteString("    " + line)
		}
	}
	golden.Text(t, "testdata/golden/"+name, text.String())
}

func TestStories(t *testing.T) {
	told(t, "stories", agent.Settings{}, []story{
		{"a wedge", "6 hash, 2 idle"},
		{"a wedge is restarted at the third poll", "6 hash, 3 idle"},
		{"no CPU time for a moment", "6 hash, 2 idle, 1 busy, 2 idle, 6 hash"},
		{"the agent restarts amid a wedge", "6 hash, 2 idle, 1 agent, 1 idle"},
		{"the agent is away amid a wedge", "6 hash, 2 idle, 3600 gap, 2 idle"},
		{"and sees it afresh", "6 hash, 2 idle, 3600 gap, 4 idle"},
		{"a wedge that one answer hides", "6 hash, 2 idle, 1 garbled, 1 idle"},
		{"the wall clock steps", "6 hash, 2 idle, 86400 step, 1 agent, 6 hash"},

		{"a restart that did not help waits for the grace", "6 hash, 3 idle, 1 restart, 15 idle"},
		{"the back-off doubles", "6 hash, 3 idle, 1 restart, 1 hash, 10 idle, 1 restart, 1 hash, 15 idle, 1 restart, 1 hash, 27 idle"},
		{"and is forgotten after half an hour of health", "6 hash, 3 idle, 1 restart, 1 hash, 6 idle, 1 restart, 182 hash, 3 idle"},
		{"a restart that nobody did is asked for again", "6 hash, 8 idle, 2 idle"},
		{"it is to be stopped", "6 hash, 1 unwanted, 9 idle"},

		{"a pool is away for a day", "6 hash, 8640 pool, 6 hash"},
		{"and sends no job", "6 hash, 60 pool, 60 nojob, 6 hash"},
		{"from the start", "1 restart, 40 pool, 6 hash"},
		{"the API is lost, too", "6 hash, 60 pool, 20 frozen, 1 pool"},
		{"the pool goes while the API is lost", "6 hash, 2 pool, 5 frozen, 20 pool"},
		{"the agent was away when the pool went", "6 hash, 3600 gap, 1 pool, 1 agent, 30 pool"},

		{"a rebuild", "6 hash, 8 busy, 1 null, 6 hash"},
		{"a slow one", "6 hash, 60 busy, 1 null, 6 hash"},
		{"one without an end", "6 hash, 91 busy"},
		{"a slow start", "1 restart, 30 busy, 1 null, 6 hash"},

		{"the API is silent for a moment", "6 hash, 2 silent, 6 hash"},
		{"for long", "6 hash, 29 silent, 6 hash"},
		{"for good", "6 hash, 31 silent, 1 restart, 6 hash"},
		{"one restart only", "6 hash, 31 silent, 1 restart, 400 silent"},
		{"all of it is frozen", "6 hash, 31 frozen, 1 restart, 2 hash, 31 frozen"},
		{"a pool goes in a long silence", "6 hash, 3 silent, 25 frozen, 20 pool"},
		{"silence after garbage", "6 hash, 20 garbled, 31 frozen, 20 pool"},
		{"only garbage", "6 hash, 100 garbled, 6 hash"},

		{"the port is taken at the start", "1 restart, 400 taken"},
		{"and given back soon", "1 restart, 6 taken, 30 silent, 1 restart, 1 busy, 6 hash"},
		{"late", "1 restart, 60 taken, 2 silent, 1 restart, 6 hash"},
		{"and taken again", "1 restart, 60 taken, 1 silent, 1 restart, 60 taken, 1 silent, 1 restart, 90 silent"},
		{"taken after a crash", "6 hash, 1 crash, 60 taken"},

		{"a thread stands still", "6 hash, 12 thread, 2 thread"},
		{"for a moment", "6 hash, 12 thread, 6 hash"},
		{"from the start", "1 restart, 25 null, 1 null"},

		{"paused", "6 hash, 6 paused"},
		{"for good", "6 hash, 7 paused, 1 restart, 2 hash, 30 paused"},
		{"on purpose", "6 hash, 1 unwanted, 60 paused"},

		{"five crashes in ten minutes", "6 hash, 1 crash, 6 hash, 1 crash, 6 hash, 3 crash, 6 hash"},
		{"six", "6 hash, 1 crash, 6 hash, 1 crash, 6 hash, 4 crash, 2 hash, 6 inactive"},
		{"the operator starts it", "6 hash, 6 crash, 1 hash, 6 inactive, 1 agent, 6 inactive, 1 restart, 6 hash"},
		{"six in an hour", "6 hash, 2 crash, 200 hash, 2 crash, 200 hash, 2 crash, 6 hash"},
		{"six, some time while the agent was away", "6 hash, 3600 gap, 6 crash, 6 hash"},
		{"before the agent knew it", "9 crash, 6 hash"},
		{"before a reboot", "6 hash, 5 crash, 1 hash, 1 reboot, 6 hash, 1 crash, 6 hash"},
		{"stopped", "6 hash, 6 inactive, 1 restart, 6 hash"},
	})
}

func TestImmediate(t *testing.T) {
	told(t, "immediate", agent.Settings{RestartPolicy: "immediate"}, []story{
		{"zero", "6 hash, 1 pool"},
		{"and again", "6 hash, 2 pool"},
		{"silence", "6 hash, 1 silent"},
		{"garbage", "6 hash, 9 garbled"},
		{"a port that is taken", "6 hash, 1 crash, 9 taken"},
		{"a start has its grace", "1 restart, 11 busy, 2 busy"},
		{"no circuit breaker", "6 hash, 9 crash, 2 hash"},
	})
}
