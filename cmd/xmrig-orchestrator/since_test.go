package main

import (
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// TestSince finds when a state with its cause began, whatever was done about
// it since.
func TestSince(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 22, minute, 0, 0, time.UTC) }
	wedged := func(minute int, action string) store.Decision {
		return store.Decision{At: at(minute), State: agent.Unhealthy, Cause: "wedged", Action: action, Evidence: "0 H/s " + action}
	}
	healthy := store.Decision{At: at(1), State: agent.Running, Cause: "healthy", Evidence: "4012.5 H/s"}
	for _, tt := range []struct {
		name      string
		decisions []store.Decision
		cause     string
		since     time.Time
		evidence  string
	}{
		{"none", nil, "", time.Time{}, ""},
		{"of another state", []store.Decision{wedged(2, ""), healthy}, "", time.Time{}, ""},
		{"one", []store.Decision{healthy, wedged(2, "")}, "wedged", at(2), "0 H/s  (as of 2026-11-22 22:02:00 UTC)"},
		{"acted upon", []store.Decision{healthy, wedged(2, ""), wedged(3, "restart"), wedged(4, "")}, "wedged", at(2), "0 H/s  (as of 2026-11-22 22:04:00 UTC)"},
		{"twice", []store.Decision{wedged(2, "restart"), healthy, wedged(5, ""), wedged(6, "restart")}, "wedged", at(5), "0 H/s restart (as of 2026-11-22 22:06:00 UTC)"},
		{"for another cause", []store.Decision{wedged(2, ""), {At: at(3), State: agent.Unhealthy, Cause: "pool-down"}, wedged(4, "")},
			"wedged", at(4), "0 H/s  (as of 2026-11-22 22:04:00 UTC)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			m := h.main(time.Now)
			db, err := store.OpenOwn(t.Context(), m.Own)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, d := range tt.decisions {
				if err := db.AddDecision(t.Context(), "mini-1", d); err != nil {
					t.Fatal(err)
				}
			}
			got := m.withDecision(t.Context(), agent.Status{Hostname: "mini-1", State: agent.Unhealthy})
			if got.Cause != tt.cause || got.Evidence != tt.evidence || (got.Since == nil) != tt.since.IsZero() || got.Since != nil && !got.Since.Equal(tt.since) {
				t.Errorf("got %q since %v from %q, want %q since %v from %q", got.Cause, got.Since, got.Evidence, tt.cause, tt.since, tt.evidence)
			}
		})
	}
}
