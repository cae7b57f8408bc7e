package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/executor"
)

// Waiting: hosts are held by others, for which the run waits.
type Waiting struct {
	Time time.Time
	Held []Held
	Left time.Duration // for which it does so at most
}

// A Held is a host that somebody holds.
type Held struct {
	Host   string
	Holder *executor.Holder // nil: a process that left no record
}

func (h Held) by() string {
	if h.Holder == nil {
		return "a process that left no record"
	}
	return fmt.Sprintf("%s@%s (%s, run %s)", h.Holder.User, h.Holder.Machine, h.Holder.Command, h.Holder.Run)
}

// Whom says who is waited for, and where.
func (e Waiting) Whom() string {
	var words []string
	for _, g := range grouped(e.Held, Held.by) {
		var hosts []string
		for _, h := range g {
			hosts = append(hosts, h.Host)
		}
		words = append(words, fmt.Sprintf("%s on %s", g[0].by(), names(hosts)))
	}
	return strings.Join(words, ", ")
}

func (e Waiting) message() string {
	return fmt.Sprintf("waiting %s at most for %s", Duration(e.Left), e.Whom())
}

func (e Waiting) text(t *Text) {
	line := fmt.Sprintf("[%s] %s", e.Time.Format(time.TimeOnly), e.message())
	io.WriteString(t.Err, t.Err.flow(line+"\n", 4))
}

type lockWait struct {
	Held []heldFields `json:"held"`
	Left int64        `json:"left_ms"`
}

// heldFields has no user where the holder left no record.
type heldFields struct {
	Host string `json:"host"`
	*executor.Holder
	For int64 `json:"held_ms"`
}

func (e Waiting) lines() []line {
	fields := lockWait{Held: []heldFields{}, Left: e.Left.Milliseconds()}
	for _, h := range e.Held {
		f := heldFields{Host: h.Host, Holder: h.Holder}
		if h.Holder != nil {
			f.For = h.Holder.Held.Milliseconds()
		}
		fields.Held = append(fields.Held, f)
	}
	return []line{lockWaitLine.line("", e.message(), fields)}
}

// LockedOut: others hold hosts of an apply, so it changed nothing.
type LockedOut struct {
	Hosts  int
	Held   int
	Failed []Unheard // the held ones, and those that could not be read
	Took   time.Duration
}

const lockedOutHint = "--lock-timeout 5m waits for them, --partial changes the hosts that are free"

func (e LockedOut) total() string {
	verb := "are"
	if e.Held == 1 {
		verb = "is"
	}
	return fmt.Sprintf("Apply: nothing was changed: %d of %s %s held by another run.", e.Held, Plural(e.Hosts, "host"), verb)
}

func (e LockedOut) text(t *Text) {
	var out strings.Builder
	var failed []hostFailure
	for _, u := range e.Failed {
		failed = append(failed, hostFailure{u.Host, troubleOf(u.Err).text()})
	}
	t.Out.failures(&out, failed)
	out.WriteString("\n" + t.Out.total(e.total(), e.Took) + "hint: " + lockedOutHint + "\n")
	io.WriteString(t.Out, out.String())
}

func (e LockedOut) lines() []line {
	var lines []line
	for _, u := range e.Failed {
		lines = append(lines, u.lines()...)
	}
	return append(lines, errorLine.line("", e.total(), runError{e.total(), lockedOutHint}).as(levelError))
}
