package systemd

import (
	"os"
	"testing"
	"time"
)

func TestCPUTime(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
	}
	after, err := CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if used := after - before; used < 20*time.Millisecond || used > 10*time.Second {
		t.Errorf("used %v in 200 ms", used)
	}
	if _, err := CPUTime(1 << 30); err == nil {
		t.Error("no error for a process that is not there")
	}
	if id, err := BootID(); err != nil || len(id) != 36 {
		t.Errorf("boot id is %q, %v", id, err)
	}
}
