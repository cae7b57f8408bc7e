package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules/hint"
)

// A claim takes the locks of all hosts of a run, each together with its reading,
// or those of none. A host that cannot be read is no obstacle.
//
// Two runs that want the same hosts may each get some. Then the one with the
// smaller id keeps what it has and asks again for a moment, and the other lets go
// of everything at once: one of them gets all, or none of them changes anything.
// A host that was let go of is read again together with its lock, so each
// reading is as old as the lock.
type claim struct {
	run      string
	sessions []*session
	timeout  time.Duration // how long another run is waited for; 0: it is not
	report   view.Reporter

	// read locks and reads hosts, and calls done after each. It leaves an error
	// in a session, or a plan and the lock.
	read    func(ctx context.Context, hosts []*session, done func(*session))
	release func(*session)

	refusedAt time.Time // when another run was met first
	told      string    // who was waited for when that was said
	toldAt    time.Time
}

// patience is how long a claim that has the precedence keeps its locks and asks
// for the others.
const patience = 5 * time.Second

// errLetGo is why readings end when the claim lets go.
const errLetGo = stopCause("another run holds a host of this one")

// take returns nil when all locks are held that can be, or ctx has ended.
// Otherwise it holds none any more, and returns the sessions whose hosts others
// hold; every session has an error.
func (c *claim) take(ctx context.Context) []*session {
	want := c.sessions
	for {
		c.attempt(ctx, want)
		held := c.held(c.sessions)
		want = held
		if len(held) == 0 {
			want = c.without()
		}
		switch {
		case ctx.Err() != nil || len(want) == 0:
			return nil
		case len(held) == 0:
			continue
		}
		if c.refusedAt.IsZero() {
			c.refusedAt = time.Now()
		}
		waited, patient := time.Since(c.refusedAt), c.timeout
		if yields(c.run, held) || waited >= patience {
			c.letGo()
		} else {
			patient = max(patient, patience)
		}
		if waited >= patient {
			c.giveUp()
			return held
		}
		c.wait(ctx, held, patient-waited)
	}
}

// attempt reads hosts. It breaks off once another run has the precedence; what
// fails from then on, in whatever words, counts as not read.
func (c *claim) attempt(run context.Context, want []*session) {
	ctx, cancel := context.WithCancelCause(run)
	defer cancel(nil)
	for _, s := range want {
		s.plan, s.err = nil, nil
	}
	c.read(ctx, want, func(s *session) {
		switch {
		case yields(c.run, c.held([]*session{s})):
			cancel(errLetGo)
		case s.err != nil && ctx.Err() != nil && run.Err() == nil:
			s.plan, s.err = nil, nil
		}
	})
	for _, s := range want {
		if ctx.Err() != nil && run.Err() == nil && hint.KindOf(s.err) == executor.Canceled { // not begun
			s.err = nil
		}
	}
}

// held are those sessions whose hosts others hold.
func (c *claim) held(sessions []*session) []*session {
	var held []*session
	for _, s := range sessions {
		h := holderOf(s.err)
		if hint.KindOf(s.err) == executor.Locked && (h == nil || h.Run != c.run) {
			held = append(held, s)
		}
	}
	return held
}

// without are the sessions that have neither a lock nor an error: they were let
// go of, or their reading was broken off.
func (c *claim) without() []*session {
	var without []*session
	for _, s := range c.sessions {
		if s.err == nil && s.plan == nil {
			without = append(without, s)
		}
	}
	return without
}

// yields reports whether one of the holders has the precedence.
func yields(run string, held []*session) bool {
	return slices.ContainsFunc(held, func(s *session) bool {
		h := holderOf(s.err)
		return h != nil && h.Run < run
	})
}

func (c *claim) letGo() {
	for _, s := range c.sessions {
		if s.err == nil && s.plan != nil {
			c.release(s)
			s.plan = nil
		}
	}
}

// errLockedOut is the error of a host that is free, where others are not.
var errLockedOut = errors.New("not changed: another run holds other hosts of this one")

// giveUp lets go of everything, and says in each session why nothing is done.
func (c *claim) giveUp() {
	c.letGo()
	for _, s := range c.sessions {
		if s.err == nil {
			s.err = errLockedOut
		}
	}
}

// tellEvery is how often is said for whom a claim waits, if that stays the same.
const tellEvery = 30 * time.Second

// wait says who is waited for, and pauses. Runs that wait for each other do not
// ask in step.
func (c *claim) wait(ctx context.Context, held []*session, left time.Duration) {
	e := view.Waiting{Time: time.Now(), Left: left}
	for _, s := range held {
		e.Held = append(e.Held, view.Held{Host: s.host.Name, Holder: holderOf(s.err)})
	}
	if text := e.Whom(); text != c.told || time.Since(c.toldAt) >= tellEvery {
		c.report.Report(e)
		c.told, c.toldAt = text, time.Now()
	}
	select {
	case <-time.After(time.Second + rand.N(500*time.Millisecond)):
	case <-ctx.Done():
	}
}
