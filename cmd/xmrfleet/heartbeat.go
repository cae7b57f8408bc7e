package main

import (
	"sync"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/plan"
)

// A heartbeat knows what is being done on which host, and tells it every ten
// seconds for as long as there is something.
type heartbeat struct {
	report view.Reporter
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

const heartbeatInterval = 10 * time.Second

// startHeartbeat begins a heartbeat over hosts, which the caller ends.
func startHeartbeat(to view.Reporter, hosts []string) *heartbeat {
	b := &heartbeat{report: to, ended: make(chan struct{}), order: hosts, tasks: make(map[string]task)}
	go b.keep()
	return b
}

func (b *heartbeat) keep() {
	ticker := time.NewTicker(heartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-b.ended:
			return
		case <-ticker.C:
			b.tell()
		}
	}
}

// end ends the heartbeat: no event comes after it.
func (b *heartbeat) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks = nil
	close(b.ended)
}

func (b *heartbeat) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := view.Heartbeat{Time: time.Now()}
	for _, host := range b.order {
		if t, ok := b.tasks[host]; ok {
			e.Hosts = append(e.Hosts, view.Busy{Host: host, Phase: t.phase, Change: t.change, Took: e.Time.Sub(t.began)})
		}
	}
	if e.Hosts != nil {
		b.report.Report(e)
	}
}

// reads says that a host is being reached and read.
func (b *heartbeat) reads(host string) { b.begin(host, task{phase: view.Reading}) }

// applies says that a host is on its way through changes. The first one comes
// next; behind the last one the host is verified.
func (b *heartbeat) applies(host string, changes []plan.Change) {
	if len(changes) == 0 {
		b.begin(host, task{phase: view.Verifying})
		return
	}
	b.begin(host, task{phase: view.Changing, change: changes[0]})
}

func (b *heartbeat) begin(host string, t task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.began = time.Now()
	b.tasks[host] = t
}

// rests says that nothing is being done on a host any more.
func (b *heartbeat) rests(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.tasks, host)
}
