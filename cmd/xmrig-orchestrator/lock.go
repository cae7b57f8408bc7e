package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"xmrfleet/modules/agent"
)

// errLocked says that somebody else changes the host.
var errLocked = errors.New("the host's lock is held, by an apply perhaps")

// lock takes the lock that an apply holds while it changes the host, or
// returns errLocked at once. Unlock gives it back.
func (m *Main) lock() (unlock func(), err error) {
	if err := os.MkdirAll(m.RunDir, 0o755); err != nil {
		return nil, fmt.Errorf("lock host: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(m.RunDir, filepath.Base(agent.Lock)), os.O_RDWR|os.O_CREATE, 0o600)
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
