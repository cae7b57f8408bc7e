package executor

import (
	"runtime"
	"testing"

	"xmrfleet/executor/sshtest"
)

// A fleet of thousands is held open at a time.
func TestMemoryOfAConnection(t *testing.T) {
	const n = 40
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	open(t, d, "h", OpenOptions{})
	before, goroutines := heap(), runtime.NumGoroutine()
	for range n {
		open(t, d, "h", OpenOptions{})
	}
	// The server in this process is counted as well.
	kib, routines := float64(heap()-before)/n/1024, float64(runtime.NumGoroutine()-goroutines)/n
	t.Logf("%.0f KiB and %.0f goroutines a connection, at both ends", kib, routines)
	if kib > 400 || routines > 40 {
		t.Errorf("%.0f KiB and %.0f goroutines a connection", kib, routines)
	}
}
