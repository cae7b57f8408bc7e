//go:build lab

package main

import (
	"fmt"
	"strings"
	"testing"
)

// What a unit leaves open to its process, as systemd counts it from 0 (nothing)
// to 10, does not grow unnoticed.
func TestLabExposure(t *testing.T) {
	r := newRig(t, "")
	for unit, limit := range map[string]float64{"xmrig-orchestrator.service": 2.5, "xmrig.service": 3.6} {
		report := r.sh(`systemd-analyze security --no-pager "$1"`, unit)
		_, verdict, _ := strings.Cut(report, "Overall exposure level for "+unit+": ")
		var level float64
		if _, err := fmt.Sscan(verdict, &level); err != nil {
			t.Errorf("%s: %v\n%s", unit, err, report)
			continue
		}
		t.Logf("exposure level of %s: %.1f", unit, level)
		if level > limit {
			t.Errorf("%s has exposure level %.1f, at most %.1f wanted\n%s", unit, level, limit, report)
		}
	}
}
