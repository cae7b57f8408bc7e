package view

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/plan"
)

// Heartbeat: these hosts are worked on. It comes again and again for as long as
// there are some.
type Heartbeat struct {
	Time  time.Time
	Hosts []Busy
}

// The phases of a busy host.
const (
	Reading    = "read" // it is being connected to, or read
	Changing   = "change"
	Verifying  = "verify"
	Proving    = "prove"   // until its miner hashes
	Commanding = "command" // of an exec
)

// A Busy is a host on which something is being done.
type Busy struct {
	Host   string
	Phase  string
	Change plan.Change // in the phase Changing
	Took   time.Duration
}

func (b Busy) doing() string {
	switch b.Phase {
	case Reading:
		return "connecting and reading"
	case Changing:
		return b.Change.String()
	case Commanding:
		return "running the command"
	case Proving:
		return "until it hashes"
	}
	return "verifying"
}

// saidEvery is how many heartbeats are left out until people are told again.
const saidEvery = 3

// text says it once nothing else was said since the last heartbeat, and then
// now and then.
func (e Heartbeat) text(t *Text) {
	if t.silence.Add(1)%saidEvery == 1 {
		fmt.Fprintf(t.Err, "[%s] %s\n", e.Time.Format(time.TimeOnly), e.message())
	}
}

// message names the hosts, those that are at the same thing as one.
func (e Heartbeat) message() string {
	var words []string
	for _, g := range grouped(e.Hosts, Busy.doing) {
		var hosts []string
		var longest time.Duration
		for _, b := range g {
			hosts, longest = append(hosts, b.Host), max(longest, b.Took)
		}
		words = append(words, fmt.Sprintf("%s (%s, %s)", names(hosts), g[0].doing(), Duration(longest)))
	}
	return "still waiting for " + strings.Join(words, ", ")
}

type heartbeatFields struct {
	Hosts []busyFields `json:"in_work"`
}

type busyFields struct {
	Host     string         `json:"host"`
	Phase    string         `json:"phase"`
	Resource string         `json:"resource,omitempty"`
	Action   modules.Action `json:"action,omitempty"`
	Took     int64          `json:"took_ms"`
}

func (e Heartbeat) lines() []line {
	hosts := make([]busyFields, len(e.Hosts))
	for i, b := range e.Hosts {
		hosts[i] = busyFields{b.Host, b.Phase, b.Change.Resource, b.Change.Action, b.Took.Milliseconds()}
	}
	return []line{heartbeatLine.line("", e.message(), heartbeatFields{hosts})}
}
