package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"xmrfleet/modules/agent"
)

// errLocked says that another program has the host's lock.
var errLocked = errors.New("the host's lock is held, by an apply perhaps")

// errRunning says that another agent runs.
var errRunning = errors.New("another xmrig-orchestrator runs on this host: see systemctl status " + agent.Unit)

// lock takes the lock that whoever changes the host must hold. It does not
// wait: if another program has the lock, it returns errLocked.
func (h *Host) lock() (unlock func(), err error) {
	return h.flock(filepath.Base(agent.Lock), errLocked)
}

// lockAgent takes the lock that an agent holds for as long as it lives. The kernel
// releases it at its death, whatever that is. It returns errRunning if another
// agent has it.
func (h *Host) lockAgent() (unlock func(), err error) {
	return h.flock("agent.lock", errRunning)
}

// flock locks a file of the run directory. It returns held if another program has
// locked it.
func (h *Host) flock(name string, held error) (unlock func(), err error) {
	if err := os.MkdirAll(h.RunDir, 0o755); err != nil {
		return nil, fmt.Errorf("lock host: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(h.RunDir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock host: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, held
		}
		return nil, fmt.Errorf("lock host: %w", err)
	}
	return func() { f.Close() }, nil
}
