package main

import (
	"strings"
	"testing"
)

// What is published must hold: a short run of it is a test.
func TestTargets(t *testing.T) {
	scores := compete(30, 40, 7)
	s := scores[0]
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
	if vain := scores[2].vain; vain[poolAway] == 0 || vain[slowStart] == 0 {
		t.Errorf("the specification's rule restarts nothing in vain: %v; is there a model at all?", vain)
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
