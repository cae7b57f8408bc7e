package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A reason is what a restart in vain was about.
type reason int

const (
	poolAway reason = iota
	rebuild
	donationRound
	clockStep
	shareLuck
	apiTrouble
	slowStart
	busy
	reasons
)

var reasonNames = [reasons]string{"pool outage", "dataset rebuild", "donation round", "clock step",
	"share luck", "API trouble", "slow start", "busy host"}

// A score is how a watchdog did.
type score struct {
	name  string
	years float64
	vain  [reasons]int
	found [faults][]float64 // seconds until a restart, or the stop of a loop
	lost  [faults]int       // that a person had to see
}

// live lives one host's life under a watchdog.
func (s *score) live(h *host, dog watchdog, step float64, seed uint64) {
	l := newLife(h, step, seed)
	phase := rand.New(rand.NewPCG(seed, 3)).Float64() * 10
	for now := math.Floor(phase/step)*step + step; now < h.duration; now += step {
		l.advance(now)
		l.settle()
		if l.stopUntil > now {
			continue
		}
		if l.agentUntil > 0 {
			if l.agentUntil > now {
				continue
			}
			dog.forget(l.lost)
			l.agentUntil = 0
		}
		l.expect()
		s.obey(l, dog.poll(l))
		if l.flaw != faults && l.t-l.flawAt > patience(l.flaw) {
			s.lost[l.flaw]++
			l.flaw = faults
			l.restart(0)
		}
		if to := l.quiet(); dog.calm() && to > now+100*step {
			n := math.Floor((to - now) / step)
			l.leap(now + n*step)
			now += n * step
		}
	}
	s.years += h.duration / (365.25 * day)
}

// patience is how long a fault goes on that no watchdog sees.
func patience(f flaw) float64 {
	if f == stale {
		return 7 * day
	}
	return day
}

// obey acts for a watchdog and keeps the score.
func (s *score) obey(l *life, a action) {
	switch {
	case a == nothing:
		return
	case l.flaw == faults:
		s.vain[l.reason()]++
	case l.byChance():
		s.vain[l.reason()]++
		s.lost[l.flaw]++
	case l.flaw != crashLoop || a == stop:
		s.found[l.flaw] = append(s.found[l.flaw], l.t-l.flawAt)
	}
	switch a {
	case stop:
		l.stop()
	case reboot:
		l.restart(minute)
	default:
		l.restart(0)
	}
}

// settle notes what the moment is like.
func (l *life) settle() {
	if !l.hashing() {
		l.mined = never
	} else if l.mined == never {
		l.mined = l.t
	}
	if l.poolUntil > l.t || (l.up && l.job > l.t && l.t-l.start > 10) {
		l.poolAt = l.t
	}
	if l.vardiff && l.hashing() && l.t-l.found > 8*l.wait && l.r.Float64() < 0.02*l.step {
		l.diff = max(l.diff/2, l.rate) // the pool retargets
	}
}

// reason tells what was the matter at a restart in vain.
func (l *life) reason() reason {
	switch {
	case l.t-l.poolAt < 60:
		return poolAway
	case l.building() && l.workers < never:
		return rebuild
	case l.t-l.clockAt < 10*minute:
		return clockStep
	case l.badUntil > l.t-minute:
		return apiTrouble
	case !l.up || l.workers == never || l.t-l.workers < 20:
		return slowStart
	case l.share < 1:
		return busy
	case l.donating():
		return donationRound
	}
	return shareLuck
}

// byChance tells whether a restart was about something else than the fault
// that it cured. One of the API is to be cured whatever else happens.
func (l *life) byChance() bool {
	switch l.flaw {
	case frozen, apiDead, portTaken, crashLoop:
		return false
	}
	switch l.reason() {
	case poolAway, rebuild, clockStep, apiTrouble, busy:
		return true
	case slowStart:
		return l.flaw != threadLame
	}
	return false
}

// quiet is until when a miner hashes on, and nothing happens to it.
func (l *life) quiet() float64 {
	if !l.hashing() || l.flaw != faults || len(l.hurt) > 0 || l.t-l.mined < 20*minute ||
		l.building() || l.share < 1 || l.badUntil > l.t || l.agentUntil > 0 {
		return l.t
	}
	to := l.duration
	if l.next < len(l.events) {
		to = l.events[l.next].at
	}
	return to - 2*l.step
}

// leap goes over a time in which a miner hashes on.
func (l *life) leap(to float64) {
	d := to - l.t
	l.t = to
	l.hashes += l.rate * d
	l.cpu += float64(l.threads) * d
	for i := range l.samples {
		l.samples[(l.at-i+len(l.samples))%len(l.samples)] = l.hashes - l.rate*l.step*float64(i)
	}
	for l.donation[1] <= l.t {
		l.donation[0] += 100 * minute
		l.donation[1] += 100 * minute
	}
	l.work, l.found = l.r.ExpFloat64(), l.t
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
