package main

import (
	"sync"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/plan"
)

// A vigil knows what is being done on which host, and tells it every ten
// seconds for as long as there is something.
type vigil struct {
	report reporter
	ended  chan struct{}

	mu    sync.Mutex
	order []string
	tasks map[string]task
}

type task struct {
	phase  string
	change plan.Change
	began  time.Time
}

const heartbeat = 10 * time.Second

// keepVigil begins a vigil over hosts, which the caller ends.
func keepVigil(to reporter, hosts []string) *vigil {
	v := &vigil{report: to, ended: make(chan struct{}), order: hosts, tasks: make(map[string]task)}
	go v.keep()
	return v
}

func (v *vigil) keep() {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-v.ended:
			return
		case <-ticker.C:
			v.tell()
		}
	}
}

// end also waits until nothing is being told.
func (v *vigil) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tasks = nil
	close(v.ended)
}

func (v *vigil) tell() {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := view.Waiting{Time: time.Now()}
	for _, host := range v.order {
		if t, ok := v.tasks[host]; ok {
			e.Hosts = append(e.Hosts, view.Busy{Host: host, Phase: t.phase, Change: t.change, Took: e.Time.Sub(t.began)})
		}
	}
	if e.Hosts != nil {
		v.report.Report(e)
	}
}

// reads says that a host is being reached and read.
func (v *vigil) reads(host string) { v.begin(host, task{phase: view.Reading}) }

// applies says that a host is on its way through changes. The first one comes
// next; behind the last one the host is verified.
func (v *vigil) applies(host string, changes []plan.Change) {
	if len(changes) == 0 {
		v.begin(host, task{phase: view.Verifying})
		return
	}
	v.begin(host, task{phase: view.Changing, change: changes[0]})
}

func (v *vigil) begin(host string, t task) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t.began = time.Now()
	v.tasks[host] = t
}

// rests says that nothing is done on a host any more.
func (v *vigil) rests(host string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.tasks, host)
}
