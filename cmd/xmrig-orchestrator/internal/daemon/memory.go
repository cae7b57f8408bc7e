package daemon

import (
	"context"
	"encoding/json"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
)

// A memory is what the agent knows after its next start. It is stored as JSON,
// so that renaming a field, here or in health.Watch, makes agents forget it.
type memory struct {
	Watch health.Watch

	Seen   *systemd.Unit // when the row was last saved; nil: not in this boot
	BootID string        // of the boot in which that was

	// Restarts that happened and that the row does not count yet: the
	// agent's own, and those of systemd that Seen cannot tell any more.
	Restarts int
}

// saveMemoryEvery is how often the memory is saved while nothing changes.
const saveMemoryEvery = time.Minute

// loadMemory takes over what an earlier agent knew.
func (d *daemon) loadMemory(ctx context.Context) {
	d.own.use(ctx, jobMemory, func(s *store.Store) error {
		b, err := s.Memory(ctx, d.Settings.Hostname)
		if err != nil || b == nil {
			return err
		}
		if err := json.Unmarshal(b, &d.memory); err != nil {
			d.log.Warn("memory of an earlier agent is not understood", "error", err)
			d.memory = memory{}
		}
		return nil
	})
	d.last = d.memory.Watch.Last
	if boot, err := systemd.BootID(); err != nil || boot != d.memory.BootID {
		d.memory.Seen = nil
	}
}

func (d *daemon) saveMemory(ctx context.Context) {
	b, err := json.Marshal(d.memory)
	if err != nil {
		d.log.Error("memory", "error", err)
		return
	}
	if d.own.use(ctx, jobMemory, func(s *store.Store) error {
		return s.SaveMemory(ctx, d.Settings.Hostname, b, d.Now())
	}) == nil {
		d.memorySaved = time.Now()
	}
}

// noteUnit takes over the unit's present state. systemd sets its count of
// restarts back to 0 when somebody starts the unit. Restarts that the row does
// not count by then, because the database was unavailable, move to
// memory.Restarts.
func (d *daemon) noteUnit(u systemd.Unit) {
	if seen := d.memory.Seen; seen != nil && u.Restarts < d.unit.Restarts {
		d.memory.Restarts += max(0, d.unit.Restarts-seen.Restarts)
		counted := *seen
		counted.Restarts = 0
		d.memory.Seen = &counted
	}
	d.unit = u
}
