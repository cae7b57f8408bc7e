package view

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"xmrfleet/modules"
	"xmrfleet/plan"
)

// A long error is told once: in the report, which is all that a log of standard
// output has.
func TestApplyFails(t *testing.T) {
	user := change("user xmrig", modules.Change{Action: modules.Create})
	start := change("service xmrig", modules.Change{Action: modules.Start, Disruptive: true})
	bad := HostResult{Host: "mini-2", Took: 2 * time.Second, Outcome: plan.Outcome{
		Done: []plan.Change{user}, Pending: []plan.Change{start}, Touched: true,
		Err: errors.New("service xmrig: start xmrig.service: the process ended: exit-code; the last lines of its journal:\n    Nov 22 02:31:07 mini-2 xmrig[7]: no\n    Nov 22 02:31:07 mini-2 systemd[1]: Failed.")}}
	lost := HostResult{Host: "m1", Took: 12 * time.Second, Outcome: plan.Outcome{
		Pending: []plan.Change{user, start}, Err: errors.New("run command: no sign of life for 12s")}}
	good := HostResult{Host: "m3", Took: time.Second, Outcome: plan.Outcome{Done: []plan.Change{user, start}, Touched: true}}
	out, progress := told(Applying{Hosts: []string{"mini-2", "m1", "m3"}}, Begun{Host: "mini-2", Changes: 2},
		Ended{good}, Ended{bad}, Ended{lost},
		Applied{Results: []HostResult{bad, lost, good}, Retry: "xmrfleet apply -l mini-2,m1", Took: 13 * time.Second})
	check(t, regexp.MustCompile(`(?m)^\[\S+\]`).ReplaceAllString(progress, "[T]"))
	check(t, out)
}
