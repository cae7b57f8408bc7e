package daemon

import (
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
)

// Restarts by systemd that no row holds yet are not lost when its count is set
// back.
func TestNoteUnit(t *testing.T) {
	for _, tt := range []struct {
		name              string
		seen, last, now   int
		carried, seenThen int
	}{
		{"nothing happened", 2, 2, 2, 0, 2},
		{"it goes on counting", 2, 2, 4, 0, 2},
		{"set back, all in the row", 2, 2, 0, 0, 0},
		{"set back, some in no row", 2, 5, 0, 3, 0},
		{"set back and counting again", 2, 5, 1, 3, 0},
		{"the row is newer", 5, 2, 0, 0, 0},
	} {
		d := &daemon{}
		d.memory.Seen = &systemd.Unit{Restarts: tt.seen}
		d.unit = systemd.Unit{Restarts: tt.last}
		d.noteUnit(systemd.Unit{Restarts: tt.now})
		if d.memory.Restarts != tt.carried || d.memory.Seen.Restarts != tt.seenThen || d.unit.Restarts != tt.now {
			t.Errorf("%s: carried %d, seen %d; want %d, %d", tt.name, d.memory.Restarts, d.memory.Seen.Restarts, tt.carried, tt.seenThen)
		}
	}
}
