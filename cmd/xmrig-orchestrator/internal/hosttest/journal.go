package hosttest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"time"
)

// A Journal collects what the agent logs.
type Journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// Logged waits until a text is in the log.
func (h *Host) Logged(log *Journal, text string) {
	h.T.Helper()
	h.Until(func() bool { return strings.Contains(log.String(), text) },
		func() string { return "not in the log: " + text + "\n" + log.String() })
}

// Start runs an agent until stop, which fails the test unless it ends without an
// error. What it logs is in log.
func (h *Host) Start(run func(ctx context.Context, log io.Writer) error) (log *Journal, stop func()) {
	h.T.Helper()
	log = new(Journal)
	ctx, cancel := context.WithCancel(h.T.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, log) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				h.T.Errorf("run: %v", err)
			}
		case <-time.After(Patience):
			h.T.Errorf("the agent does not end:\n%s", log)
		}
	})
	h.T.Cleanup(stop)
	return log, stop
}
