package executor

import (
	"strings"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
)

// The budget of a host is in round trips, since that is what a fleet waits
// for: ten from the first packet to the results of the first frame, three over
// the control socket of a master, and one for each frame after it.
func TestRoundTrips(t *testing.T) {
	eachWay(t, "by", func(t *testing.T, reach way) {
		const oneWay = 100 * time.Millisecond // so long that a busy machine does not blur it
		// The time at the two ends is not the network's: measured without delay.
		nearOpen, nearRun := quickest(t, reach, 0)
		farOpen, farRun := quickest(t, reach, oneWay)
		trips := func(far, near time.Duration) float64 { return float64(far-near) / float64(2*oneWay) }
		open, each := trips(farOpen, nearOpen), trips(farRun, nearRun)
		t.Logf("open: %.2f round trips, %s at the ends; frame: %.2f, %s", open, nearOpen, each, nearRun)
		most := 10.0
		if strings.HasSuffix(t.Name(), "socket") {
			most = 3
		}
		if open > most {
			t.Errorf("the first results take %.2f round trips, more than %.0f", open, most)
		}
		if each > 1.5 {
			t.Errorf("a frame takes %.2f round trips, more than 1", each)
		}
	})
}

// quickest is how long it takes to open a shell on a host that is that far, and
// to run a frame in it.
func quickest(t *testing.T, reach way, oneWay time.Duration) (opened, ran time.Duration) {
	server := sshtest.Start(t, nil)
	d, target := reach(t, server, sshtest.Delay(t, server.Addr(), oneWay))
	opened, ran = time.Hour, time.Hour
	for range 3 {
		begun := time.Now()
		s, _, err := d.Open(t.Context(), target, OpenOptions{Lock: maia, First: []modules.Command{sh(`echo facts`), sh(`echo probes`)}})
		if err != nil {
			t.Fatal(err)
		}
		opened = min(opened, time.Since(begun))
		begun = time.Now()
		for range 3 {
			run(t, s, sh(`echo one`), modules.Command{Script: `cat`, Stdin: modules.NewBlob([]byte("two"))}, sh(`echo three`))
		}
		ran = min(ran, time.Since(begun)/3)
		s.Close()
	}
	return opened, ran
}
