package main

import (
	"encoding/json"
	"errors"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// A watchdog looks at a life once a step and acts on it.
type watchdog interface {
	poll(l *life) action
	forget(everything bool) // it was restarted
	calm() bool             // a miner that goes on to hash does not change it
}

type action int

const (
	nothing action = iota
	restart
	reboot
	stop
)

// ours is the agent's decision function.
type ours struct {
	policy health.Policy
	watch  health.Watch
	jumps  bool

	o        health.Observation
	summary  miner.Summary
	backends miner.Backends
	rates    [4]float64
	threads  []float64
	ip, algo string
}

func newOurs(policy string) *ours {
	return &ours{policy: health.NewPolicy(agent.Settings{RestartPolicy: policy}), jumps: policy == "immediate"}
}

func (w *ours) calm() bool { return w.jumps }

func (w *ours) forget(everything bool) {
	if everything {
		w.watch = health.Watch{}
		return
	}
	b, err := json.Marshal(w.watch)
	if err == nil {
		w.watch = health.Watch{}
		err = json.Unmarshal(b, &w.watch)
	}
	if err != nil {
		panic(err)
	}
}

func (w *ours) poll(l *life) action {
	w.observe(l)
	var d health.Decision
	d, w.watch = w.watch.Decide(w.o, w.policy)
	switch d.Action {
	case health.Restart:
		return restart
	case health.Stop:
		return stop
	}
	return nothing
}

const bootID = "one"

var (
	epoch      = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	errRefused = errors.New("connection refused")
	errLate    = errors.New("no answer within 3s")
	_, errCut  = miner.Parse([]byte(`{"id":`))
)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (w *ours) observe(l *life) {
	w.o = health.Observation{
		At: epoch.Add(seconds(l.t + l.wall)), Since: seconds(l.t), BootID: bootID, Desired: agent.Running,
		Unit: l.unit(),
		CPU:  seconds(l.cpu).Truncate(10 * time.Millisecond),
	}
	switch w.o.APIErr = l.answer(); {
	case w.o.APIErr != nil:
		return
	case w.threads == nil:
		w.allot(l)
	}
	s := &w.summary
	s.Results.Good, s.Results.Total = l.good, l.total
	s.Connection.IP, s.Connection.UptimeMS, s.Connection.Diff, s.Algo = nil, 0, 0, nil
	if l.connected() {
		s.Connection.IP = &w.ip
		s.Connection.UptimeMS = 1 + int64(1000*(l.t-l.login))
	}
	if l.hasJob() {
		s.Connection.Diff = l.diff
	}
	if l.hasJob() || l.workers < never {
		s.Algo = &w.algo
	}
	for i, window := range [3]float64{10, minute, 15 * minute} {
		s.Hashrate.Total[i] = nil
		if rate, ok := l.mean(window); ok {
			w.rates[i] = rate
			s.Hashrate.Total[i] = &w.rates[i]
		}
	}
	for i := range w.threads {
		w.threads[i] = w.rates[0] / float64(l.threads)
	}
	if l.flaw == threadDead {
		w.threads[0] = 0
	}
	w.o.Summary, w.o.Backends = s, &w.backends
}

func (w *ours) allot(l *life) {
	w.algo, w.ip = "rx/0", "192.0.2.1"
	w.summary.Version, w.summary.Donate = "6.26.0", l.donate
	w.summary.Connection.Pool = "pool.example:443"
	w.threads = make([]float64, l.threads)
	for i := range w.threads {
		w.backends.Threads = append(w.backends.Threads, &w.threads[i])
	}
}

// unit is what systemd says of the miner.
func (l *life) unit() systemd.Unit {
	u := systemd.Unit{Name: agent.MinerUnit, Load: "loaded", Result: "success", Restarts: l.restarts}
	switch {
	case l.up:
		u.Active, u.Sub, u.PID = "active", "running", l.pid
		u.Started, u.Age = epoch.Add(seconds(l.start)), seconds(l.t-l.start)
	case l.halted:
		u.Active, u.Sub = "inactive", "dead"
	default:
		u.Active, u.Sub, u.Result, u.Code, u.Status = "activating", "auto-restart", "core-dump", 3, 6
	}
	return u
}

// answer is the error of asking the API.
func (l *life) answer() error {
	switch {
	case !l.up || l.listens > l.t || l.flaw == apiDead:
		return errRefused
	case l.flaw == frozen, l.badUntil > l.t && l.bad == lateAnswers:
		return errLate
	case l.badUntil > l.t:
		return errCut
	}
	return nil
}

// mean is the hashrate over a window; not ok is XMRig's null.
func (l *life) mean(window float64) (rate float64, ok bool) {
	switch {
	case l.workers == never:
		return 0, true
	case l.flaw == threadLame || l.t-l.workers < window:
		return 0, false
	}
	n := len(l.samples)
	ago := l.samples[(l.at-int(window/l.step)+n)%n]
	return (l.hashes - ago) / window, true
}
