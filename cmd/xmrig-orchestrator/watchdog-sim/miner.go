package main

import (
	"math"
	"math/rand/v2"
)

// A flaw is what a real fault makes of a process.
type flaw int

const (
	wedged     flaw = iota // the threads stand still, the API answers
	frozen                 // so does the API
	apiDead                // the API's socket is lost while it mines
	portTaken              // the API's port is taken at a start
	threadDead             // one thread stands still
	threadLame             // one thread never hashes, from the start
	crashLoop              // each process ends within seconds
	stale                  // hashes, but finds no share
	faults
)

var flawNames = [faults]string{"wedged", "frozen", "API lost", "API port taken", "thread dead", "thread never hashed", "crash loop", "stale shares"}

var never = math.Inf(1)

// A life is one host's under one watchdog.
type life struct {
	*host
	r    *rand.Rand
	step float64 // of the grid on which it is looked at
	t    float64
	wall float64 // how far the wall clock is off
	next int     // event

	poolUntil  float64 // the pool is away until then
	noJob      float64 // after the next login
	seed       int
	share      float64 // of CPU time that is left to the miner
	shareUntil float64
	badUntil   float64 // answers
	bad        kind
	agentUntil float64
	lost       bool // the agent's memory
	stopUntil  float64
	clockAt    float64 // of the last thing that happened to a clock
	poolAt     float64 // when the pool last failed to give work

	up       bool
	pid      int
	start    float64
	again    float64 // systemd starts it, or an operator
	end      float64 // it crashes
	restarts int     // by systemd
	halted   bool
	listens  float64 // the API does
	login    float64
	job      float64
	built    int // seed of the dataset
	ready    float64
	workers  float64 // started
	donation [2]float64
	mined    float64 // hashing since

	flaw    flaw // faults: none
	flawAt  float64
	hurt    []flaw // that wait for a calm moment
	hurtAt  float64
	work    float64
	diff    float64
	found   float64 // the last share
	good    int64
	total   int64
	hashes  float64
	cpu     float64
	samples []float64 // of hashes, one a step
	at      int
}

func newLife(h *host, step float64, seed uint64) *life {
	l := &life{host: h, step: step, r: rand.New(rand.NewPCG(seed, 2)), share: 1, flaw: faults, built: -1,
		samples: make([]float64, int(15*minute/step)+1), again: never, end: never, hurtAt: never, clockAt: -day, poolAt: -day}
	l.run()
	return l
}

// run starts a process.
func (l *life) run() {
	l.up, l.pid, l.start, l.again, l.halted = true, l.pid+1, l.t, never, false
	l.listens = l.t + 0.3
	l.login, l.job, l.built, l.ready, l.workers = never, never, -1, never, never
	l.connect()
	first := (0.5 + l.r.Float64()) * 99 * minute
	l.donation = [2]float64{l.t + first, l.t + first + float64(l.donate)*minute}
	l.good, l.total, l.cpu, l.hashes = 0, 0, 0, 0
	clear(l.samples)
	l.work, l.found, l.mined = l.r.ExpFloat64(), l.t, never
	l.diff = l.rate * l.wait
	l.end = never
	switch l.flaw {
	case portTaken:
		l.listens = never
	case crashLoop:
		l.end = l.t + 1 + 19*l.r.Float64()
	}
}

// connect logs in, at once or at a retry after the pool is back.
func (l *life) connect() {
	l.login = max(l.t, l.poolUntil+5*l.r.Float64()) + 0.3
	l.job = l.login + l.noJob
}

// restart is what a watchdog or a person does. It cures what a restart can.
func (l *life) restart(after float64) {
	if l.flaw != crashLoop {
		l.flaw = faults
	}
	l.up, l.halted, l.again = false, true, l.t+after
	l.begin()
}

// stop ends the process until somebody starts it, who has repaired it first.
func (l *life) stop() {
	l.flaw = faults
	l.up, l.halted, l.again = false, true, l.t+hour
}

// begin starts the process that is due.
func (l *life) begin() bool {
	if l.up || l.again > l.t {
		return false
	}
	l.restarts++
	if l.halted {
		l.restarts = 0
	}
	l.run()
	return true
}

// fall ends the process; systemd starts it again.
func (l *life) fall() {
	l.up, l.again, l.end = false, l.t+10, never
	l.login, l.job, l.ready = never, never, never
}

func (l *life) connected() bool { return l.up && l.login <= l.t }
func (l *life) hasJob() bool    { return l.up && l.job <= l.t }
func (l *life) building() bool  { return l.up && l.ready < never }
func (l *life) donating() bool  { return l.donation[0] <= l.t && l.t < l.donation[1] }
func (l *life) working() bool   { return l.flaw != wedged && l.flaw != frozen }
func (l *life) hashing() bool {
	return l.hasJob() && l.built == l.seed && l.working()
}

// advance lives on until a moment.
func (l *life) advance(to float64) {
	for {
		n := l.upcoming(to)
		l.pass(n - l.t)
		l.t = n
		if !l.happen() && n >= to {
			break
		}
	}
	l.at = (l.at + 1) % len(l.samples)
	l.samples[l.at] = l.hashes
}

// upcoming is when something next happens, at the latest at a given moment.
func (l *life) upcoming(to float64) float64 {
	n := to
	if l.next < len(l.events) {
		n = min(n, l.events[l.next].at)
	}
	if !l.up {
		return max(min(n, l.again), l.t)
	}
	for _, at := range [...]float64{l.login, l.job, l.donation[0], l.shareUntil, l.hurtAt} {
		if at > l.t {
			n = min(n, at)
		}
	}
	n = min(n, l.ready, l.donation[1], l.end)
	if l.hashing() && l.flaw != stale && !l.donating() {
		n = min(n, l.t+l.work*l.diff/(l.rate*l.share))
	}
	return max(n, l.t)
}

// pass lets time go by in which nothing happens.
func (l *life) pass(d float64) {
	switch {
	case !l.up || d <= 0:
	case l.hashing():
		rate := l.rate * l.share
		if l.flaw == threadDead || l.flaw == threadLame {
			rate *= 1 - 1/float64(l.threads)
		}
		l.hashes += rate * d
		l.cpu += float64(l.threads) * l.share * d
		if !l.donating() && l.flaw != stale {
			l.work -= rate * d / l.diff
		}
	case l.building() && l.working():
		l.cpu += float64(l.threads) * l.share * d
	default:
		l.cpu += 0.002 * d
	}
}

// happen does what is due and tells whether anything was.
func (l *life) happen() bool {
	switch {
	case l.next < len(l.events) && l.events[l.next].at <= l.t:
		l.next++
		l.meet(l.events[l.next-1])
	case !l.up:
		return l.begin()
	case l.hurtAt <= l.t:
		l.injure()
	case l.end <= l.t:
		l.fall()
	case l.ready <= l.t:
		l.built, l.ready = l.seed, never
		if l.workers == never {
			l.workers = l.t
		}
	case l.hasJob() && l.built != l.seed && l.ready == never:
		l.ready = l.t + l.build/l.share
	case l.donation[1] <= l.t:
		l.donation[0] = l.donation[1] + float64(100-l.donate)*minute
		l.donation[1] = l.donation[0] + float64(l.donate)*minute
	case l.share < 1 && l.shareUntil <= l.t:
		l.leave(1)
	case l.hashing() && l.work <= 1e-9:
		l.submit()
	default:
		return false
	}
	return true
}

// submit finds a share. One in 200 is rejected.
func (l *life) submit() {
	l.total++
	if l.r.Float64() >= 0.005 {
		l.good++
	}
	l.work, l.found = l.r.ExpFloat64(), l.t
	if l.vardiff && l.r.Float64() < 0.05 {
		l.diff = l.rate * l.wait * math.Exp(0.3*l.r.NormFloat64())
	}
}

// meet lets an event happen.
func (l *life) meet(e event) {
	switch e.kind {
	case poolLost:
		l.cut(e.until, e.figure)
	case newSeed:
		l.seed++
		l.ready = never
	case lateAnswers, garbledAnswers:
		l.bad, l.badUntil = e.kind, e.until
	case busyHost:
		l.shareUntil = e.until
		l.leave(e.figure)
	case wallStep:
		l.clockAt = l.t
		l.wall += e.figure
	case suspend:
		l.clockAt = l.t
		l.wall += e.figure
		l.cut(l.t+between(l.r, 2, 60), 0)
	case standstill:
		l.still(e.until)
	case crash:
		if l.up {
			l.fall()
		}
	case agentGone:
		l.agentUntil, l.lost = e.until, e.figure == 1
	case retarget:
		if l.vardiff {
			l.diff = max(l.diff*e.figure, l.rate)
		}
	case fault:
		l.hurt = append(l.hurt, flaw(e.figure))
	}
}

// leave changes the part of its CPU time that is left to the miner.
func (l *life) leave(share float64) {
	if l.building() {
		l.ready = l.t + (l.ready-l.t)*l.share/share
	}
	l.share = share
}

// cut takes the pool away.
func (l *life) cut(until, noJob float64) {
	l.poolUntil, l.noJob = max(l.poolUntil, until), noJob
	if l.up {
		l.connect()
	}
}

// still jumps over a time in which the machine did not run, though its
// monotonic clock did.
func (l *life) still(until float64) {
	gone := until - l.t
	for _, at := range [...]*float64{&l.ready, &l.end} {
		*at += gone
	}
	l.t, l.clockAt, l.stopUntil = until, until, until
	l.cut(l.t+between(l.r, 2, 60), 0)
}

// expect chooses the moment for a fault that waits, within the next step, once
// the miner has mined for a while and nothing else is to happen soon.
func (l *life) expect() {
	if len(l.hurt) == 0 || l.flaw != faults || l.hurtAt < never {
		return
	}
	calm := l.hashing() && l.t-l.mined > 40*minute && l.t-l.clockAt > 10*minute &&
		l.share == 1 && l.badUntil < l.t-5*minute && l.agentUntil < l.t-5*minute
	for _, e := range l.events[l.next:min(l.next+8, len(l.events))] {
		if e.at < l.t+20*minute && e.kind != retarget && e.kind != fault {
			calm = false
		}
	}
	if calm {
		l.hurtAt = l.t + l.step*l.r.Float64()
	}
}

// injure lets a fault begin.
func (l *life) injure() {
	l.flaw, l.flawAt, l.hurt, l.hurtAt = l.hurt[0], l.t, l.hurt[1:], never
	switch l.flaw {
	case apiDead:
		l.listens = never
	case portTaken, threadLame, crashLoop:
		l.fall()
		l.flawAt = l.again
	}
}
