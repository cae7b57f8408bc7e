package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// long is the wait, in expected shares, from which one is lived through.
const long = 12

// unlucky lives through the longest waits for a share that hosts have in a
// number of years together, and counts the restarts and alerts of them.
func unlucky(hosts int, years float64, seed uint64) (restarts, alerts int) {
	r := rand.New(rand.NewPCG(seed, 4))
	for i := range hosts {
		h := newHost(1, seed<<20+uint64(i))
		h.events = nil
		l, dog := newLife(h, 10, seed), newOurs("evidence")
		for now := 10.0; now < 3*hour; now += 10 {
			l.advance(now)
			l.settle()
			dog.poll(l)
		}
		waits := years / float64(hosts) * 365.25 * day / h.wait * math.Exp(-long)
		for range int(waits + r.Float64()) {
			restarted, alerted := l.endure(*dog, r)
			if restarted {
				restarts++
			}
			if alerted {
				alerts++
			}
		}
	}
	return restarts, alerts
}

// endure lives through one long wait, at any phase of the poll and the round of
// donation.
func (l *life) endure(dog ours, r *rand.Rand) (restarted, alerted bool) {
	c := *l
	c.samples = slices.Clone(l.samples)
	c.r = r
	c.donation[0] = c.t + (r.Float64()*100-float64(c.donate))*minute
	c.donation[1] = c.donation[0] + float64(c.donate)*minute
	c.submit()
	c.work = long + r.ExpFloat64()
	dog.threads = nil
	dog.backends.Threads = nil
	for from := c.total; c.total == from && !restarted; {
		c.advance(c.t + 10)
		c.settle()
		restarted = dog.poll(&c) == restart
		alerted = alerted || dog.watch.Last.Cause == "stale"
	}
	return restarted, alerted
}
