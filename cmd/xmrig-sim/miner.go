//go:build linux

package main

import (
	"slices"
	"sync"
	"time"
)

// A miner is the simulated one. Its time runs in seconds since the start,
// control.speed of them in a real second. It is safe for concurrent use.
type miner struct {
	config *config
	log    *console

	mu      sync.Mutex
	control control
	real    time.Time // when now was brought up to date
	now     float64
	started float64 // what the API counts its uptime from

	heldByRPC bool
	nextJob   float64 // no thread starts before
	conn      connection

	hasJob  bool    // there was one since the start
	threads []track // nil until a job is there and the dataset is ready
	total   track   // since every thread has made a hash
	highest float64
	effort  float64 // hashes since the last share
	printed float64 // when the speed was last logged
}

// A connection is the session with the pool and what came of all sessions.
type connection struct {
	pool      string // kept after a loss
	up        bool
	since     float64
	failures  int // sessions lost
	accepted  int64
	rejected  int64
	answers   int64 // shares accepted in this session
	hashes    int64
	best      [10]int64
	submitted int64
}

func newMiner(c *config, log *console) *miner {
	return &miner{
		config: c, log: log, real: time.Now(),
		control: defaultControl(len(c.affinities())),
	}
}

// follow makes the miner obey a control from now on.
func (m *miner) follow(c control) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	old := m.control
	m.control = c
	if changed(old.uptime, c.uptime) {
		m.started = m.now - float64(*c.uptime)
	}
	if changed(old.accepted, c.accepted) {
		m.conn.accepted = *c.accepted
	}
	if changed(old.rejected, c.rejected) {
		m.conn.rejected = *c.rejected
	}
	if m.threads != nil && len(m.threads) != c.threads {
		m.stopThreads()
	}
	m.connect()
	m.startThreads()
}

func changed(old, new *int64) bool { return new != nil && (old == nil || *old != *new) }

// connect brings the session into the shape that the state wants.
func (m *miner) connect() {
	switch m.control.state {
	case starting:
		m.conn, m.hasJob = connection{}, false
		m.stopThreads()
		return
	case poolDown:
		if m.conn.up {
			m.conn.up = false
			m.conn.failures++
			m.conn.answers = 0
			m.log.printf("net", "%s read error: \"end of file\"", m.conn.pool)
			m.log.printf("net", "no active pools, stop mining")
		}
		return
	}
	if p := m.config.pools[0]; !m.conn.up {
		m.conn.up, m.conn.pool, m.conn.since = true, p.String(), m.now
		m.log.printf("net", "use pool %s  %s", p, p.ip())
	}
	if m.control.state == noJob {
		m.hasJob = false
		m.stopThreads()
	} else if !m.hasJob {
		m.hasJob = true
		m.log.printf("net", "new job from %s diff %d algo rx/0", m.conn.pool, m.control.difficulty())
	}
}

// startThreads starts them if there is something to do and none run yet.
func (m *miner) startThreads() {
	if m.threads != nil || !m.hasJob || !m.conn.up || m.control.state == dataset || m.now < m.nextJob {
		return
	}
	m.threads = make([]track, m.control.threads)
	for i := range m.threads {
		m.threads[i] = track{{time: m.now}}
	}
	n := m.control.threads
	m.log.printf("cpu", "use profile  rx  (%d threads) scratchpad 2048 KB", n)
	m.log.printf("cpu", "READY threads %d/%d (%d) memory %d KB (1 ms)", n, n, n, 2048*n)
}

func (m *miner) stopThreads() { m.threads, m.total = nil, nil }

// paused reports whether the miner says that it is paused.
func (m *miner) paused() bool { return m.heldByRPC || m.control.state == paused }

// pace is the rate of one thread in H/s.
func (m *miner) pace(thread int) float64 {
	if m.paused() || thread >= len(m.threads) {
		return 0
	}
	even := m.control.rate() / float64(len(m.threads))
	switch m.control.state {
	case mining, stale, rejects:
		return even
	case degraded:
		return 0.6 * even
	case threadDead:
		if thread < len(m.threads)-1 {
			return even
		}
	}
	return 0
}

// busy is the share of a CPU that a thread should use now.
func (m *miner) busy(thread int) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	building := m.control.state == dataset && thread < m.control.threads
	if building || m.pace(thread) > 0 {
		return m.control.busy
	}
	return 0
}

func (m *miner) threadCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.control.threads
}

// tick brings everything up to date.
func (m *miner) tick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	m.startThreads()
	if every := float64(m.config.number(60, 0, 3600, "print-time")); every > 0 && m.now-m.printed >= every {
		m.printed = m.now
		m.log.printf("miner", "speed 10s/60s/15m %s H/s max %.1f H/s", speeds(m.total.rates(m.now)), m.highest)
	}
}

func (m *miner) advance() {
	real := time.Now()
	dt := real.Sub(m.real).Seconds() * m.control.speed
	m.real = real
	if dt <= 0 {
		return
	}
	before := m.now
	m.now += dt
	var hashes float64
	sound := len(m.threads) > 0
	for i, t := range m.threads {
		done := m.pace(i) * dt
		m.threads[i] = t.add(m.now, done)
		sound = sound && m.threads[i].at(m.now) > 0
		hashes += done
	}
	if sound {
		if m.total == nil {
			m.total = track{{time: before}}
		}
		m.total = m.total.add(m.now, hashes)
	}
	if m.total != nil && m.now-m.total[0].time >= windows[0] {
		m.highest = max(m.highest, m.total.rate(m.now, windows[0]))
	}
	diff := float64(m.control.difficulty())
	for m.effort += hashes; m.effort >= diff; m.effort -= diff {
		m.share(int64(diff))
	}
}

// share hands one to the pool, unless the state is that none is found.
func (m *miner) share(diff int64) {
	c := &m.conn
	if m.control.state == stale {
		return
	}
	c.submitted++
	if m.control.state == rejects && c.submitted%5 < 2 {
		c.rejected++
		m.log.printf("cpu", "rejected (%d/%d) diff %d \"Low difficulty share\" (34 ms)", c.accepted, c.rejected, diff)
		return
	}
	c.accepted++
	c.answers++
	c.hashes += diff
	worst := len(c.best) - 1
	c.best[worst] = max(c.best[worst], diff*(1000+c.submitted*7919%9973)/1000)
	slices.SortFunc(c.best[:], func(a, b int64) int { return int(b - a) })
	m.log.printf("cpu", "accepted (%d/%d) diff %d (34 ms)", c.accepted, c.rejected, diff)
}

// call does what one of the JSON-RPC methods asks for. It reports whether the
// method is known.
func (m *miner) call(method string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	switch method {
	case "pause":
		m.heldByRPC = true
	case "resume":
		m.heldByRPC = false
	case "stop":
		const untilNextJob = 18
		m.nextJob = m.now + untilNextJob
		m.stopThreads()
	default:
		return false
	}
	return true
}
