//go:build lab

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"xmrfleet/cmd/internal/release"
)

// A wish is what a fleet should be.
type wish struct {
	version, pool, interval string
	hint, priority          int
	states                  map[string]string // of hosts
}

var wishedVersions = []string{"6.26.0", "6.26.1", "6.26.2"}

// turns are what differs between two wishes.
var turns = []func(*rand.Rand, *wish){
	func(s *rand.Rand, w *wish) { w.version = wishedVersions[s.IntN(len(wishedVersions))] },
	func(s *rand.Rand, w *wish) { w.pool = []string{"a", "b", "c"}[s.IntN(3)] },
	func(s *rand.Rand, w *wish) { w.interval = []string{"1s", "2s"}[s.IntN(2)] },
	func(s *rand.Rand, w *wish) { w.hint = 25 * (1 + s.IntN(4)) },
	func(s *rand.Rand, w *wish) { w.priority = []int{0, 1, 3, 5}[s.IntN(4)] },
	func(s *rand.Rand, w *wish) {
		w.states[campaignHosts[s.IntN(len(campaignHosts))]] = []string{"running", "running", "stopped", "absent"}[s.IntN(4)]
	},
}

// wish is what a round applies.
func (c *campaign) wish(round int) wish {
	w := wish{version: wishedVersions[0], pool: "a", interval: "1s", hint: 50, states: map[string]string{}}
	for _, host := range campaignHosts {
		w.states[host] = "running"
	}
	for n := 0; n <= round; n++ {
		w.turn(c.source(n, drawsWish))
	}
	return w
}

// turn makes another wish of w.
func (w *wish) turn(s *rand.Rand) {
	for _, i := range s.Perm(len(turns))[:1+s.IntN(4)] {
		turns[i](s, w)
	}
}

// another is a wish that differs from w.
func (w wish) another(s *rand.Rand) wish {
	w.states = maps.Clone(w.states)
	w.turn(s)
	return w
}

func (w wish) text(releases map[string]release.Archive) string {
	var out strings.Builder
	a := releases[w.version]
	fmt.Fprintf(&out, `wallet = env("MONERO_WALLET")
pool "main" {
  url = "pool-%s.example:443"
}
xmrig {
  version          = %q
  sha256           = %q
  source           = %q
  max_threads_hint = %d
  priority         = %d
}
agent {
  interval = %q
}
`, w.pool, w.version, a.SHA256, a.Path, w.hint, w.priority, w.interval)
	for _, host := range campaignHosts {
		fmt.Fprintf(&out, "host %q {\n  xmrig {\n    state = %q\n  }\n}\n", host, w.states[host])
	}
	return out.String()
}

func (w wish) String() string {
	var states []string
	for host, state := range w.states {
		states = append(states, host+" "+state)
	}
	slices.Sort(states)
	return fmt.Sprintf("version %s, pool %s, interval %s, hint %d, priority %d, %s", w.version, w.pool, w.interval, w.hint, w.priority, strings.Join(states, ", "))
}
