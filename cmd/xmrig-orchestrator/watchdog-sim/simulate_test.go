package main

import (
	"strings"
	"testing"
)

// What is published must hold: a short run of it is a test.
func TestTargets(t *testing.T) {
	s := compete(entrants()[:1], 30, 30, 7)[0]
	for r, n := range s.vain {
		if n != 0 {
			t.Errorf("%d restarts in vain: %s", n, reasonNames[r])
		}
	}
	limits := [faults]float64{wedged: 60, frozen: 6 * minute, apiDead: 6 * minute, portTaken: 8 * minute,
		threadDead: 3 * minute, threadLame: 10 * minute, crashLoop: 10 * minute, stale: 6 * day}
	for f, limit := range limits {
		if len(s.found[f]) == 0 || s.lost[f] > 0 {
			t.Errorf("%s: found %d, missed %d", flawNames[f], len(s.found[f]), s.lost[f])
		}
		for _, d := range s.found[f] {
			if d > limit {
				t.Errorf("%s: found after %.0f s", flawNames[f], d)
			}
		}
	}
	if restarts, _ := unlucky(10, 1000, 7); restarts > 10 {
		t.Errorf("%d restarts in 1000 years of bad luck", restarts)
	}
}

// The model is one in which other rules do badly; or it would prove nothing.
func TestRivals(t *testing.T) {
	for _, s := range compete(entrants()[2:], 3, 20, 7) {
		if s.vain[poolAway] == 0 || s.lost[threadDead]+s.lost[stale] == 0 {
			t.Errorf("%s: vain %v, not seen %v", s.name, s.vain, s.lost)
		}
	}
}

// The same seed gives the same table.
func TestSeed(t *testing.T) {
	one, two, other := simulate(2, 3, 100, 1), simulate(2, 3, 100, 1), simulate(2, 3, 100, 2)
	if one != two {
		t.Errorf("two tables of one seed:\n%s\n%s", one, two)
	}
	if strings.TrimPrefix(one, "6 host-days, seed 1") == strings.TrimPrefix(other, "6 host-days, seed 2") {
		t.Errorf("one table of two seeds:\n%s", one)
	}
}

func BenchmarkEvidence(b *testing.B) {
	for b.Loop() {
		h := newHost(30, 3)
		new(score).live(h, newOurs("evidence"), 10, 3)
	}
}

func BenchmarkLiteral(b *testing.B) {
	for b.Loop() {
		h := newHost(30, 3)
		new(score).live(h, literal{}, 10, 3)
	}
}
