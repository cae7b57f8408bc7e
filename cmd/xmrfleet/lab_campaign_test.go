//go:build lab

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/internal/release"
)

// The campaign applies one description after another to real hosts, does one
// fault to each apply at a moment that is drawn, heals, and looks at what has to
// be true then. The faults and the invariants are tables, in files of their own.
//
// All that is drawn follows from the seed and the number of the round; when a
// fault strikes follows from how long an apply takes on this machine as well.
var (
	campaignSeed   = flag.Uint64("campaign.seed", 0, "of the campaign; 0: any")
	campaignFirst  = flag.Int("campaign.first", 0, "number of the first round")
	campaignRounds = flag.Int("campaign.rounds", 20, "how many rounds")
	campaignFaults = flag.String("campaign.faults", "", "only those whose names match")
)

// campaignLabs is how many labs share the rounds, at the same time.
const campaignLabs = 2

var campaignHosts = []string{"mini-1", "mini-2", "mini-3", "mini-4"}

func TestCampaign(t *testing.T) {
	c := &campaign{seed: cmp.Or(*campaignSeed, uint64(rand.Uint32())), rounds: map[string]int{}, violations: map[[2]string]int{}}
	if faults = slices.DeleteFunc(faults, func(f fault) bool { return !regexp.MustCompile(*campaignFaults).MatchString(f.name) }); len(faults) == 0 {
		t.Fatalf("no fault matches %q", *campaignFaults)
	}
	t.Logf("campaign of seed %d: rounds %d to %d", c.seed, *campaignFirst, *campaignFirst+*campaignRounds-1)
	c.releases = map[string]release.Archive{}
	for _, version := range wishedVersions {
		a, err := release.BuildVersion(t.Context(), t.TempDir(), version)
		if err != nil {
			t.Fatal(err)
		}
		c.releases[version] = a
	}
	t.Run("labs", func(t *testing.T) {
		for i := range campaignLabs {
			first := *campaignFirst + i**campaignRounds/campaignLabs
			end := *campaignFirst + (i+1)**campaignRounds/campaignLabs
			if first < end {
				t.Run(fmt.Sprint(first), func(t *testing.T) { c.run(t, first, end) })
			}
		}
	})
	t.Log("\n" + c.table())
}

type campaign struct {
	seed     uint64
	releases map[string]release.Archive

	mu         sync.Mutex
	rounds     map[string]int    // by fault
	violations map[[2]string]int // by fault and invariant
}

// source is what is drawn from for one purpose of one round.
func (c *campaign) source(round int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.seed, uint64(round)<<8|purpose))
}

// The purposes of a source.
const (
	drawsWish = iota
	drawsOrder
	drawsFault
)

// faultOf is the fault of a round. Each cycle of rounds has every fault once, in
// an order of its own; slow ones are in every fourth cycle.
func (c *campaign) faultOf(round int) fault {
	for cycle := 0; ; cycle++ {
		var some []fault
		for _, f := range faults {
			if !f.slow || cycle%4 == 3 || *campaignFaults != "" {
				some = append(some, f)
			}
		}
		if round >= len(some) {
			round -= len(some)
			continue
		}
		c.source(cycle, drawsOrder).Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		return some[round]
	}
}

// run does the rounds from first to before end in a lab.
func (c *campaign) run(t *testing.T, first, end int) {
	f := newFleet(t, "#", campaignHosts...)
	bare := make(map[string]string)
	for _, host := range campaignHosts {
		bare[host] = f.sh(host, paths)
	}
	f.write(c.wish(first - 1).text(c.releases))
	began := time.Now()
	f.apply()
	usual := time.Since(began) / 2 // most changes are less than an installation
	known := make(invocations)
	for n := first; n < end && !(t.Failed() && os.Getenv("XMRFLEET_KEEP_LAB") == "1"); n++ {
		r := &round{fleet: f, campaign: c, number: n, fault: c.faultOf(n), was: c.wish(n - 1), want: c.wish(n),
			source: c.source(n, drawsFault), known: known, bare: bare, harmed: map[string]time.Time{}, commands: map[string][]int{}}
		r.run(usual)
		if r.client.code == exitDone {
			usual = r.client.took()
		}
	}
}

// A round is one apply, what was done to it, and what was seen then.
type round struct {
	*fleet
	*campaign
	number    int
	fault     fault
	source    *rand.Rand
	was, want wish
	known     invocations
	bare      map[string]string // what a host has that knows nothing of us

	hosts    []string             // that the fault is done to
	delay    time.Duration        // from the start of the apply to the fault
	running  *running             // the apply
	harmed   map[string]time.Time // when the fault last changed something on a host
	commands map[string][]int     // that were put into the agents' queues
	other    *wish                // that another run applied meanwhile

	prints [2]map[string]map[string]string // footprints, before the apply and after it
	met    map[string]sight                // what the healing found
	left   map[string]sight                // and what it left
	client attempt                         // the apply
	healed []attempt                       // the applies that healed, in their order
	lost   []breach                        // commands that the agents forgot
}

// An attempt is a run of apply that has ended.
type attempt struct {
	outcome
	lines []jsonLine // if it lived to write them
}

// took is how long that was, by its lines.
func (a attempt) took() time.Duration {
	if a.lines == nil {
		return 0
	}
	return a.lines[len(a.lines)-1].at().Sub(a.lines[0].at())
}

// at is the time of a line.
func (l jsonLine) at() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, l.Time) // an error: zero
	return at
}

func (r *round) run(usual time.Duration) {
	r.write(r.want.text(r.releases))
	for _, i := range r.source.Perm(len(campaignHosts))[:1+r.source.IntN(2)] {
		r.hosts = append(r.hosts, campaignHosts[i])
	}
	r.delay = time.Duration(r.source.Float64() * float64(usual))
	r.enqueue()
	r.prints[0] = r.footprints()
	r.look()

	r.running = r.start("apply", "--yes", "--json-into", "lines.json")
	time.Sleep(r.delay)
	r.fault.do(r)
	if !r.ended() {
		r.violated("the run ends", "", "it still runs: "+tail(r.running.stdout.String()+r.running.stderr.String()))
		r.running.signal(syscall.SIGKILL)
		<-r.running.ended
	}
	r.client.outcome = outcome{r.running.stdout.String(), r.running.stderr.String(), r.running.cmd.ProcessState.ExitCode()}
	if r.client.code >= 0 {
		r.client.lines = r.lines("lines.json")
	}

	r.prints[1] = r.footprints()
	r.met = r.look()
	r.heal()
	r.lost = r.work()
	r.left = r.look()
	r.count()
	for _, i := range invariants {
		for _, b := range i.broken(r) {
			r.violated(i.name, b.host, b.seen)
		}
	}
	last := r.healed[len(r.healed)-1]
	r.t.Logf("round %d, %q on %v after %v of %v: exit %d, healed by %d with exit %d in %v", r.number, r.fault.name, r.hosts,
		r.delay.Round(time.Millisecond), r.client.took().Round(time.Millisecond), r.client.code, len(r.healed), last.code, last.took().Round(time.Millisecond))
	if last.code != exitDone {
		r.renew()
	}
}

// ended waits until the apply has.
func (r *round) ended() bool {
	select {
	case <-r.running.ended:
		return true
	case <-time.After(labtest.Limit):
		return false
	}
}

// lines reads the report of a run.
func (r *round) lines(name string) []jsonLine {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	lines, _ := stream(r.t, string(text))
	return lines
}

// lockLimit is how long a lock outlives its holder.
const lockLimit = 31 * time.Second

// heal applies again until that goes well.
func (r *round) heal() {
	for range 3 {
		o := r.fleet.run("apply", "--yes", "--lock-timeout", lockLimit.String(), "--json-into", "healing.json")
		r.healed = append(r.healed, attempt{o, r.lines("healing.json")})
		if o.code == exitDone {
			return
		}
	}
}

// renew goes on with hosts that have forgotten everything.
func (r *round) renew() {
	for _, host := range r.lab.Hosts {
		if err := host.Recreate(context.Background()); err != nil {
			r.t.Fatal(err)
		}
	}
	r.apply()
}

func (r *round) footprints() map[string]map[string]string {
	prints := make(map[string]map[string]string)
	for _, host := range campaignHosts {
		prints[host] = r.footprint(host)
	}
	return prints
}

func (r *round) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds[r.fault.name]++
}

// violated reports that an invariant does not hold.
func (r *round) violated(invariant, host, seen string) {
	r.mu.Lock()
	r.violations[[2]string{r.fault.name, invariant}]++
	r.mu.Unlock()
	r.t.Errorf("seed %d, round %d, %q on %v after %v: %s: violated: %s: %s\nit was   %v\nshould be %v\nthe apply: %s",
		r.seed, r.number, r.fault.name, r.hosts, r.delay.Round(time.Millisecond), host, invariant, seen, r.was, r.want, tail(r.client.String()))
}

// table sums the campaign up.
func (c *campaign) table() string {
	var out strings.Builder
	row := func(name string, rounds int, counts func(fault, invariant string) bool) {
		n := 0
		for at, violations := range c.violations {
			if counts(at[0], at[1]) {
				n += violations
			}
		}
		fmt.Fprintf(&out, "%-44s %6d %10d\n", name, rounds, n)
	}
	fmt.Fprintf(&out, "%-44s %6s %10s\n", "fault", "rounds", "violations")
	total := 0
	for _, f := range faults {
		row(f.name, c.rounds[f.name], func(fault, _ string) bool { return fault == f.name })
		total += c.rounds[f.name]
	}
	fmt.Fprintf(&out, "\n%-44s %6s %10s\n", "invariant", "rounds", "violations")
	for _, i := range append([]invariant{{name: "the run ends"}}, invariants...) {
		row(i.name, total, func(_, invariant string) bool { return invariant == i.name })
	}
	row("all", total, func(string, string) bool { return true })
	return out.String()
}

// tail is the end of a text.
func tail(text string) string { return text[max(0, len(text)-3000):] }
