package view

import (
	"regexp"
	"testing"
	"time"

	"xmrfleet/modules"
)

func TestHeartbeat(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 31, 7, 0, time.Local)
	start := change("service xmrig", modules.Change{Action: modules.Start})
	e := Heartbeat{Time: at, Hosts: []Busy{
		{Host: "m1", Phase: Reading, Took: 8 * time.Second},
		{Host: "mini-3", Phase: Changing, Change: start, Took: 12 * time.Second},
		{Host: "m2", Phase: Reading, Took: 61 * time.Second},
		{Host: "old", Phase: Verifying, Took: time.Second},
		{Host: "x", Phase: Commanding, Took: time.Second},
	}}
	_, got := told(e)
	check(t, got)
	check(t, jsonOf(Heartbeat{Time: at, Hosts: e.Hosts[:2]}))
}

// People are told when nothing else was said, and then every third time.
func TestWaitingLong(t *testing.T) {
	beat := func(second int) Event {
		return Heartbeat{Time: time.Date(2026, 11, 22, 2, 31, second, 0, time.Local), Hosts: []Busy{{Host: "m1", Phase: Verifying}}}
	}
	hidden := Made{Host: "m1", Change: change("file /c", modules.Change{Action: modules.Create})}
	_, got := told(Applying{Hosts: []string{"m1"}}, beat(10), beat(20), hidden, beat(30), beat(40), beat(50))
	check(t, got)
	_, got = told(Applying{Hosts: []string{"m1"}, Details: true}, beat(10), hidden, beat(20))
	clock := regexp.MustCompile(`\[\S+\] m1`)
	check(t, clock.ReplaceAllString(got, "[T] m1"))
}
