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

// lock takes the lock that whoever changes the host must hold. It does not
// wait: if another program has the lock, it returns errLocked.
func (h *Host) lock() (unlock func(), err error) {
	if err := os.MkdirAll(h.RunDir, 0o755); err != nil {
		return nil, fmt.Errorf("lock host: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(h.RunDir, filepath.Base(agent.Lock)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock host: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock host: %w", err)
	}
	return func() { f.Close() }, nil
}
