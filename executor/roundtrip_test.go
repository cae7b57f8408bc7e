package executor

import (
	"strings"
	"testing"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
)

// The budget of a host is in round trips, since that is what a fleet waits
// for: ten from the first packet to the results of the first frame, three over
// the control socket of a master, and one for each frame after it.
func TestRoundTrips(t *testing.T) {
	eachWay(t, "by", func(t *testing.T, reach way) {
		t.Parallel()
		server := sshtest.Start(t, nil)
		proxy := sshtest.Count(t, server.Addr())
		d, target := reach(t, server, proxy)
		proxy.Settle()
		before := proxy.RoundTrips()
		s, _, err := d.Open(t.Context(), target, OpenOptions{Lock: maia, First: []modules.Command{sh(`echo facts`), sh(`echo probes`)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		opened := proxy.RoundTrips()
		for range 3 {
			run(t, s, sh(`echo one`), modules.Command{Script: `cat`, Stdin: modules.NewBlob([]byte("two"))}, sh(`echo three`))
		}
		open, frames := opened-before, proxy.RoundTrips()-opened
		t.Logf("open: %d round trips; three frames: %d", open, frames)
		most := 10
		if strings.HasSuffix(t.Name(), "socket") {
			most = 3
		}
		if open > most {
			t.Errorf("the first results take %d round trips, more than %d", open, most)
		}
		if frames != 3 {
			t.Errorf("three frames take %d round trips", frames)
		}
	})
}
