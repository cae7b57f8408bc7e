package hcl

import (
	"testing"

	"xmrfleet/modules/agent"
)

// TestThresholds holds that a fleet file may set what the agent knows.
func TestThresholds(t *testing.T) {
	if len(thresholds) != len(agent.Thresholds) {
		t.Errorf("%d thresholds, the agent has %d", len(thresholds), len(agent.Thresholds))
	}
	for i, want := range agent.Thresholds[:min(len(thresholds), len(agent.Thresholds))] {
		got := thresholds[i]
		if got.name != want.Name || got.duration != (want.Unit == "s") {
			t.Errorf("%s: %+v, the agent has %+v", got.name, got, want)
		}
		if want.Default < got.low || want.Default > got.high {
			t.Errorf("%s: the default %v is not allowed", got.name, want.Default)
		}
	}
}
