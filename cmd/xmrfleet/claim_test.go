package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/plan"
)

// A world is a fleet in which runs meet. Time in it costs nothing.
type world struct {
	mu     sync.Mutex
	locks  map[string]string // the holder of each host
	file   map[string]string // the run that changed each host last
	change map[string]int    // how often each host was changed
	dead   string            // a host that nobody reaches
	told   []string
}

func newWorld() *world {
	return &world{locks: map[string]string{}, file: map[string]string{}, change: map[string]int{}}
}

// lock is flock -w 2.
func (w *world) lock(ctx context.Context, host, run string) error {
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		w.mu.Lock()
		holder := w.locks[host]
		if holder == "" && ctx.Err() == nil {
			w.locks[host] = run
		}
		w.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return errors.New("resolve: ssh was killed")
		case holder == "":
			return nil
		case time.Since(began) >= 2*time.Second:
			return &executor.Error{Reason: executor.Locked, Op: "lock", Err: errors.New("held"), Holder: &executor.Holder{Run: holder, User: "ann", Machine: "laptop"}}
		}
	}
}

// apply is a whole apply of a run. It reports whether it went through.
func (w *world) apply(t *testing.T, run string, timeout time.Duration, hosts ...string) bool {
	var sessions []*session
	for _, h := range hosts {
		sessions = append(sessions, &session{host: hcl.Host{Name: h}})
	}
	seen := map[string]string{}
	c := claim{run: run, sessions: sessions, timeout: timeout, report: w}
	c.read = func(ctx context.Context, hosts []*session, done func(*session)) {
		executor.Each(ctx, hosts, 0, func(ctx context.Context, s *session) (struct{}, error) {
			time.Sleep(rand.N(300 * time.Millisecond))
			defer done(s)
			if s.host.Name == w.dead {
				s.err = &executor.Error{Reason: executor.Unreachable, Op: "connect", Err: errors.New("no route")}
				return struct{}{}, nil
			}
			if s.err = w.lock(ctx, s.host.Name, run); s.err == nil {
				s.plan = &plan.Plan{}
				w.mu.Lock()
				seen[s.host.Name] = w.file[s.host.Name]
				w.mu.Unlock()
			}
			return struct{}{}, nil
		})
	}
	c.release = func(s *session) {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.locks, s.host.Name)
	}
	held := c.take(t.Context())
	for _, s := range sessions {
		if (held != nil) != (s.err != nil) && s.host.Name != w.dead {
			t.Errorf("%s: %s: %v", run, s.host.Name, s.err)
		}
	}
	if held != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for host, holder := range w.locks {
			if holder == run {
				t.Errorf("%s keeps %s", run, host)
			}
		}
		return false
	}
	for _, s := range sessions {
		time.Sleep(rand.N(time.Second))
		if s.err != nil {
			continue
		}
		w.mu.Lock()
		if w.locks[s.host.Name] != run || seen[s.host.Name] != w.file[s.host.Name] {
			t.Errorf("%s changes %s: held by %s, seen %q, is %q", run, s.host.Name, w.locks[s.host.Name], seen[s.host.Name], w.file[s.host.Name])
		}
		w.file[s.host.Name] = run
		w.change[s.host.Name]++
		w.mu.Unlock()
	}
	for _, s := range sessions {
		c.release(s)
	}
	return true
}

func (w *world) Report(e view.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, e.(view.Waiting).Whom())
}

// Whatever the order in which runs reach the hosts, one takes all of them or
// nobody changes any.
func TestClaimsMeet(t *testing.T) {
	for _, timeout := range []time.Duration{0, 5 * time.Minute} {
		for round := range 200 {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				var through [3]bool
				var wg sync.WaitGroup
				hosts := []string{"1", "2", "3", "4"}
				for i := range through {
					rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
					mine := append([]string{}, hosts...)
					wg.Go(func() {
						through[i] = w.apply(t, fmt.Sprint("run", i), timeout, mine...)
					})
				}
				wg.Wait()
				if w.file["1"] != w.file["2"] || w.file["1"] != w.file["3"] || w.file["1"] != w.file["4"] {
					t.Fatalf("round %d: split: %v, %v", round, w.file, through)
				}
				if timeout > 0 && through != [3]bool{true, true, true} {
					t.Fatalf("round %d: not all come through in the end: %v", round, through)
				}
				if through == [3]bool{} {
					t.Errorf("round %d: nobody comes through", round)
				}
			})
		}
	}
}

func TestClaimOfHeldHost(t *testing.T) {
	for _, test := range []struct {
		name, holder string
		held         time.Duration
		timeout      time.Duration
		want         bool
		tries        time.Duration // at most so long
	}{
		{"precedence", "run1", time.Hour, 0, false, 3 * time.Second},
		{"precedence over the holder", "run9", time.Hour, 0, false, 9 * time.Second},
		{"who lets go", "run9", 3 * time.Second, 0, true, 9 * time.Second},
		{"waiting", "run1", 2 * time.Minute, 5 * time.Minute, true, 2*time.Minute + 10*time.Second},
		{"waiting in vain", "run9", time.Hour, 5 * time.Minute, false, 5*time.Minute + 10*time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.dead = "4"
				w.locks["3"] = test.holder
				began := time.Now()
				time.AfterFunc(test.held, func() {
					w.mu.Lock()
					defer w.mu.Unlock()
					delete(w.locks, "3")
				})
				got := w.apply(t, "run5", test.timeout, "1", "2", "3", "4")
				took := time.Since(began)
				if got != test.want || got && w.change["1"] != 1 || took > test.tries+5*time.Second {
					t.Errorf("%v after %s", got, took)
				}
				if test.timeout > 0 {
					if w.told[0] != "ann@laptop (, run "+test.holder+") on 3" || len(w.told) > 12 {
						t.Errorf("%q", strings.Join(w.told, "\n"))
					}
				}
			})
		})
	}
}

// An interrupted claim holds what it has; the run then closes it.
func TestInterruptedClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.locks["2"] = "run1"
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		c := claim{run: "run5", sessions: []*session{{host: hcl.Host{Name: "2"}}}, timeout: time.Hour, report: w, release: func(*session) {},
			read: func(ctx context.Context, hosts []*session, done func(*session)) {
				hosts[0].err = w.lock(ctx, "2", "run5")
				done(hosts[0])
			}}
		if held := c.take(ctx); held != nil || ctx.Err() == nil {
			t.Errorf("got %v, %v", held, ctx.Err())
		}
	})
}
