package main

import (
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// A tail brings the entries of many journals into the order of their times.
type tail struct {
	p       *Program
	names   map[string]view.Name
	usual   string // who writes most of the entries
	came    chan entry
	notices chan notice
	waiting map[string]bool // hosts whose past is not told yet
	held    []entry
}

// A notice is what is to be said of a host behind its entries, or nil: at least
// its past is told.
type notice struct {
	host  string
	event view.Event
}

func newTail(p *Program, hosts []hcl.Host, unit string) *tail {
	t := &tail{p: p, names: namesOf(hosts), usual: strings.TrimSuffix(unit, ".service"), waiting: make(map[string]bool),
		came: make(chan entry), notices: make(chan notice)}
	for _, h := range hosts {
		t.waiting[h.Name] = true
	}
	return t
}

func (t *tail) say(host string, event view.Event) { t.notices <- notice{host, event} }

// end says that a journal is not read any more, and why.
func (t *tail) end(host string, err error) {
	if err == nil {
		t.say(host, nil)
		return
	}
	t.say(host, view.Unheard{Host: host, Err: err})
}

// Of a journal that is followed, entries wait a moment for older ones of other
// hosts, and at first for the past of all hosts, though not long.
const (
	pause    = 200 * time.Millisecond
	patience = 2 * time.Second
)

// show prints the entries until all journals have ended.
func (t *tail) show(follow bool, read <-chan []executor.Outcome[struct{}]) []executor.Outcome[struct{}] {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	began := time.Now()
	for {
		select {
		case e := <-t.came:
			t.held = append(t.held, e)
		case n := <-t.notices:
			delete(t.waiting, n.host)
			t.report(n.event)
		case <-ticker.C:
			if follow && (len(t.waiting) == 0 || time.Since(began) > patience) {
				t.print()
			}
		case outcomes := <-read:
			t.print()
			return outcomes
		}
	}
}

func (t *tail) report(event view.Event) {
	if event != nil && !t.p.stopped() && !t.p.output.closed() {
		t.print()
		t.p.report.Report(event)
	}
}

// print prints what is held, in the order of time.
func (t *tail) print() {
	slices.SortStableFunc(t.held, func(a, b entry) int { return a.time.Compare(b.time) })
	for _, e := range t.held {
		from := e.from
		if from == t.usual {
			from = ""
		}
		t.p.report.Report(view.Logged{Name: t.names[e.host], Time: e.time, From: from, Text: e.text})
	}
	t.held = nil
}
