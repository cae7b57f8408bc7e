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

// What a busy host may be at.
const (
	Reading    = "read" // it is being connected to, or read
	Changing   = "change"
	Verifying  = "verify"
	Commanding = "command" // of an exec
)

// A Busy host is one that is worked on.
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
	type together struct {
		doing string
		hosts []string
		took  time.Duration // the longest
	}
	var groups []*together
	at := make(map[string]*together)
	for _, b := range e.Hosts {
		g := at[b.doing()]
		if g == nil {
			g = &together{doing: b.doing()}
			at[g.doing], groups = g, append(groups, g)
		}
		g.hosts, g.took = append(g.hosts, b.Host), max(g.took, b.Took)
	}
	words := make([]string, len(groups))
	for i, g := range groups {
		words[i] = fmt.Sprintf("%s (%s, %s)", names(g.hosts), g.doing, Duration(g.took))
	}
	return "still waiting for " + strings.Join(words, ", ")
}

func (e Heartbeat) lines() []line {
	type busy struct {
		Host     string         `json:"host"`
		Phase    string         `json:"phase"`
		Resource string         `json:"resource,omitempty"`
		Action   modules.Action `json:"action,omitempty"`
		Took     int64          `json:"took_ms"`
	}
	hosts := make([]busy, len(e.Hosts))
	for i, b := range e.Hosts {
		hosts[i] = busy{b.Host, b.Phase, b.Change.Resource, b.Change.Action, b.Took.Milliseconds()}
	}
	return []line{{kind: "heartbeat", message: e.message(), body: struct {
		Hosts []busy `json:"in_work"`
	}{hosts}}}
}
