package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
	"xmrfleet/plan"
)

// A notebook keeps the heartbeats.
type notebook struct{ lines []string }

func (n *notebook) Report(e view.Event) {
	var words []string
	for _, b := range e.(view.Heartbeat).Hosts {
		words = append(words, fmt.Sprint(b.Host, " ", b.Phase, " ", b.Change.Resource, " ", b.Took))
	}
	n.lines = append(n.lines, strings.Join(words, ", "))
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told notebook
		changes := []plan.Change{{Resource: "user xmrig", Change: modules.Change{Action: modules.Create}}, {Resource: "service xmrig"}}
		b := startHeartbeat(&told, []string{"m2", "m1"})
		time.Sleep(11 * time.Second) // nobody is busy
		b.reads("m1")
		time.Sleep(time.Second)
		b.reads("m2")
		time.Sleep(9 * time.Second)
		b.rests("m2")
		b.applies("m1", changes)
		time.Sleep(10 * time.Second)
		b.applies("m1", changes[1:])
		time.Sleep(10 * time.Second)
		b.applies("m1", nil)
		time.Sleep(10 * time.Second)
		b.rests("m1")
		time.Sleep(10 * time.Second)
		b.end()
		b.rests("m1") // of a host that was given up
		time.Sleep(time.Minute)
		want := "m2 read  8s, m1 read  9s\n" + "m1 change user xmrig 9s\n" + "m1 change service xmrig 9s\n" + "m1 verify  9s"
		if got := strings.Join(told.lines, "\n"); got != want {
			t.Errorf("\n--- got\n%s\n--- want\n%s", got, want)
		}
	})
}
