package executor

import (
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
)

// The budget of a host is in round trips, since that is what a fleet waits
// for: ten from the first packet to the results of the first frame, one for
// each frame after it.
func TestRoundTrips(t *testing.T) {
	const way = 100 * time.Millisecond // so long that a busy machine does not blur it
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	target := at(sshtest.Delay(t, server.Addr(), way).Addr(), server)
	// The time at the two ends is not the network's: measured without delay.
	work := func(target Target) (opened, ran time.Duration) {
		begun := time.Now()
		s, _, err := d.Open(t.Context(), target, OpenOptions{Lock: maia, First: []modules.Command{sh(`echo facts`), sh(`echo probes`)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		opened = time.Since(begun)
		begun = time.Now()
		for range 3 {
			run(t, s, sh(`echo one`), modules.Command{Script: `cat`, Stdin: modules.NewBlob([]byte("two"))}, sh(`echo three`))
		}
		return opened, time.Since(begun) / 3
	}
	best := func(target Target) (opened, ran time.Duration) {
		opened, ran = time.Hour, time.Hour
		for range 3 {
			o, r := work(target)
			opened, ran = min(opened, o), min(ran, r)
		}
		return opened, ran
	}
	nearOpen, nearRun := best(at(server.Addr(), server))
	farOpen, farRun := best(target)
	trips := func(far, near time.Duration) float64 { return float64(far-near) / float64(2*way) }
	open, each := trips(farOpen, nearOpen), trips(farRun, nearRun)
	t.Logf("open: %.2f round trips, %s at the ends; frame: %.2f, %s", open, nearOpen, each, nearRun)
	if open > 10 {
		t.Errorf("the first results take %.2f round trips, more than 10", open)
	}
	if each > 1.5 {
		t.Errorf("a frame takes %.2f round trips, more than 1", each)
	}
}
