// Package journal brings the journals of many hosts into one. A [Host] reads
// that of one host, a [Merger] puts the entries of all of them into the order
// of time. What is asked of a host and what its lines mean is package modules'.
//
// It prints nothing: entries are events of package view. What else is to be told
// of a host among its entries is a notice with an event.
package journal

import (
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules"
)

// A Merger tells the entries of many journals in the order of their times.
type Merger struct {
	// Follow says that the journals go on: entries are told as they come, and
	// not when all journals have ended.
	Follow bool

	report  view.Reporter
	quiet   func() bool // nobody is to hear more than the entries
	names   map[string]view.Name
	writer  string // who writes most of the entries, and is not named
	came    chan entry
	notices chan notice
	waiting map[string]bool // hosts whose past is not told yet
	held    []entry
}

// An entry is an entry of the journal of a host.
type entry struct {
	host string
	modules.LogEntry
}

// A notice is an event of a host that is reported behind the entries that came
// before it. It also says that the host has sent all entries that were there
// when it was asked; a notice without an event says only that.
type notice struct {
	host  string
	event view.Event
}

// NewMerger merges the journals of a unit on these hosts. What is said of a
// host beyond its entries is left out while quiet returns true.
func NewMerger(report view.Reporter, quiet func() bool, unit string, hosts []string) *Merger {
	m := &Merger{report: report, quiet: quiet, names: view.NamesOf(hosts), writer: strings.TrimSuffix(unit, ".service"),
		came: make(chan entry), notices: make(chan notice), waiting: make(map[string]bool)}
	for _, h := range hosts {
		m.waiting[h] = true
	}
	return m
}

func (m *Merger) notify(host string, event view.Event) { m.notices <- notice{host, event} }

// end says that a journal is not read any more, and why.
func (m *Merger) end(host string, err error) {
	if err == nil {
		m.notify(host, nil)
		return
	}
	m.notify(host, view.Unheard{Host: host, Err: err})
}

// Entries of a journal that is followed wait entryWait for older ones of other
// hosts. In the beginning they wait until all hosts have sent what was there,
// for pastWait at most.
const (
	entryWait = 200 * time.Millisecond
	pastWait  = 2 * time.Second
)

// Run tells the entries until all journals have ended, and returns what read
// gives then: what became of each host.
func (m *Merger) Run(read <-chan []executor.Outcome[struct{}]) []executor.Outcome[struct{}] {
	ticker := time.NewTicker(entryWait)
	defer ticker.Stop()
	began := time.Now()
	for {
		select {
		case e := <-m.came:
			m.held = append(m.held, e)
		case n := <-m.notices:
			delete(m.waiting, n.host)
			m.tell(n.event)
		case <-ticker.C:
			if m.Follow && (len(m.waiting) == 0 || time.Since(began) > pastWait) {
				m.flush()
			}
		case outcomes := <-read:
			m.flush()
			return outcomes
		}
	}
}

// tell tells an event behind the entries that came before it.
func (m *Merger) tell(event view.Event) {
	if event != nil && !m.quiet() {
		m.flush()
		m.report.Report(event)
	}
}

// flush tells the entries that are held, in the order of time.
func (m *Merger) flush() {
	slices.SortStableFunc(m.held, func(a, b entry) int { return a.Time.Compare(b.Time) })
	for _, e := range m.held {
		from := e.From
		if from == m.writer {
			from = ""
		}
		m.report.Report(view.Logged{Name: m.names[e.host], Time: e.Time, From: from, Text: e.Text})
	}
	m.held = nil
}
