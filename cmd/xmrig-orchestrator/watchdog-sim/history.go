package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// All times are seconds since a host's boot.
const (
	minute = 60.0
	hour   = 60 * minute
	day    = 24 * hour
)

// A host is a machine, its miner and its pool.
type host struct {
	rate     float64 // H/s
	threads  int
	build    float64 // of the dataset
	donate   int     // minutes in 100
	wait     float64 // for a share, on average
	vardiff  bool
	events   []event
	duration float64
}

// An event happens to a host whatever watches it.
type event struct {
	at, until float64
	kind      kind
	figure    float64
}

type kind int

const (
	poolLost kind = iota // figure: seconds without a job after the next login
	newSeed
	lateAnswers
	garbledAnswers
	busyHost // figure: the part of its CPU time that is left to the miner
	wallStep
	suspend // the monotonic clock stands still
	standstill
	crash
	agentGone // figure: 1 when its memory is lost, too
	retarget  // figure: times the difficulty
	fault     // figure: which
)

// newHost makes a host and what happens to it. The slowest machines need four
// minutes for a dataset, the fastest four seconds.
func newHost(days int, seed uint64) *host {
	r := rand.New(rand.NewPCG(seed, 1))
	h := &host{duration: float64(days) * day, donate: 1, vardiff: r.Float64() < 0.75}
	h.threads = 2 + r.IntN(31)
	h.rate = float64(h.threads) * between(r, 150, 900)
	h.build = between(r, 4, 240)
	h.wait = between(r, 10, 90)
	if r.Float64() < 0.2 {
		h.wait = between(r, 5*minute, 3*hour)
	}
	if r.Float64() < 0.2 {
		h.donate = 1 + r.IntN(5)
	}
	h.outages(r)
	for at := r.Float64() * 2.84 * day; at < h.duration; at += 2048 * 2 * minute * (1 + 0.02*r.NormFloat64()) {
		h.events = append(h.events, event{at: at, kind: newSeed})
	}
	h.trouble(r)
	h.every(r, 10*day, func(at float64) event {
		return event{at: at, kind: fault, figure: float64(r.IntN(int(faults)))}
	})
	slices.SortStableFunc(h.events, func(a, b event) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return h
}

// between is log-uniform.
func between(r *rand.Rand, low, high float64) float64 {
	return low * math.Exp(r.Float64()*math.Log(high/low))
}

func (h *host) every(r *rand.Rand, mean float64, make func(at float64) event) {
	for at := r.ExpFloat64() * mean; at < h.duration; at += r.ExpFloat64() * mean {
		h.events = append(h.events, make(at))
	}
}

// outages of the pool, or of the way to it. One login in twenty is followed by
// a time without a job.
func (h *host) outages(r *rand.Rand) {
	for _, o := range []struct{ mean, low, high float64 }{
		{1 * day, 1, 30},
		{7 * day, 30, 30 * minute},
		{30 * day, 30 * minute, 12 * hour},
		{300 * day, 12 * hour, 5 * day},
	} {
		h.every(r, o.mean, func(at float64) event {
			e := event{at: at, until: at + between(r, o.low, o.high), kind: poolLost}
			if r.Float64() < 0.05 {
				e.figure = between(r, 10, 10*minute)
			}
			return e
		})
	}
}

func (h *host) trouble(r *rand.Rand) {
	span := func(k kind, mean, low, high float64) {
		h.every(r, mean, func(at float64) event {
			return event{at: at, until: at + between(r, low, high), kind: k}
		})
	}
	span(lateAnswers, 3*day, 5, 4*minute)
	span(garbledAnswers, 5*day, 10, 30*minute)
	h.every(r, 5*day, func(at float64) event { // such as a backup, or a build
		return event{at: at, until: at + between(r, 30, 2*hour), kind: busyHost, figure: between(r, 0.05, 0.7)}
	})
	h.every(r, 10*day, func(at float64) event {
		return event{at: at, kind: wallStep, figure: between(r, 0.1, 1e8) * float64(1-2*r.IntN(2))}
	})
	h.every(r, 30*day, func(at float64) event { // and the session is lost
		return event{at: at, kind: suspend, figure: between(r, minute, 12*hour)}
	})
	span(standstill, 60*day, 5, 10*minute) // such as a virtual machine that moves
	h.every(r, 60*day, func(at float64) event { return event{at: at, kind: crash} })
	h.every(r, 10*day, func(at float64) event {
		e := event{at: at, until: at + between(r, 2, 5*minute), kind: agentGone}
		if r.Float64() < 0.2 {
			e.figure = 1
		}
		return e
	})
	h.every(r, 1*day, func(at float64) event { return event{at: at, kind: retarget, figure: between(r, 0.2, 5)} })
}
