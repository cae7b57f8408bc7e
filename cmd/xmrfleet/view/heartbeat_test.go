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
	check(t, got, `
[02:31:07] still waiting for m1, m2 (connecting and reading, 1m01s), mini-3 (start service xmrig, 12s), old (verifying, 1.0s), x (running the command, 1.0s)
`)
	check(t, jsonOf(Heartbeat{Time: at, Hosts: e.Hosts[:2]}), `
{"type":"heartbeat","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"still waiting for m1 (connecting and reading, 8.0s), mini-3 (start service xmrig, 12s)","in_work":[{"host":"m1","phase":"read","took_ms":8000},{"host":"mini-3","phase":"change","resource":"service xmrig","action":"start","took_ms":12000}]}
`)
}

// People are told when nothing else was said, and then every third time.
func TestWaitingLong(t *testing.T) {
	beat := func(second int) Event {
		return Heartbeat{Time: time.Date(2026, 11, 22, 2, 31, second, 0, time.Local), Hosts: []Busy{{Host: "m1", Phase: Verifying}}}
	}
	hidden := Made{Host: "m1", Change: change("file /c", modules.Change{Action: modules.Create})}
	_, got := told(Applying{Hosts: []string{"m1"}}, beat(10), beat(20), hidden, beat(30), beat(40), beat(50))
	check(t, got, `
[02:31:10] still waiting for m1 (verifying, 0.0s)
[02:31:40] still waiting for m1 (verifying, 0.0s)
`)
	_, got = told(Applying{Hosts: []string{"m1"}, Details: true}, beat(10), hidden, beat(20))
	clock := regexp.MustCompile(`\[\S+\] m1`)
	check(t, clock.ReplaceAllString(got, "[T] m1"), `
[02:31:10] still waiting for m1 (verifying, 0.0s)
[T] m1    ✓ create file /c  0.0s
[02:31:20] still waiting for m1 (verifying, 0.0s)
`)
}
