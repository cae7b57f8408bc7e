package cpu

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const rest = " S 1 10 10 0 -1 4194560 2096 0 3 0 150 25 7 9 20 0 5 0 12345 1 2 3"
	tests := []struct {
		name, stat string
		want       time.Duration
		fails      bool
	}{
		{"plain", "10 (xmrig)" + rest, 1750 * time.Millisecond, false},
		{"a name with brackets", "10 (x) S 1 (y z)" + rest, 1750 * time.Millisecond, false},
		{"empty", "", 0, true},
		{"cut off", "10 (xmrig) S 1 10 10 0 -1 4194560 2096 0 3 0 150", 0, true},
		{"not a number", "10 (xmrig) S 1 10 10 0 -1 4194560 2096 0 3 0 150 x 7", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(tt.stat)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

// rusageThread is RUSAGE_THREAD of getrusage(2).
const rusageThread = 1

// burn uses d of CPU time on a thread of its own, which ends with it.
func burn(d time.Duration) {
	runtime.LockOSThread()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(rusageThread, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for before := used(); used()-before < d; {
	}
}

// All threads count, those that have ended as well.
func TestTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	before, err := Time("/proc", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const each = 100 * time.Millisecond
	var threads sync.WaitGroup
	for range 2 {
		threads.Go(func() { burn(each) })
	}
	threads.Wait()
	after, err := Time("/proc", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if used := after - before; used < 2*each-4*tick || used > time.Minute {
		t.Errorf("used %v, want 2 times %v", used, each)
	}
	if _, err := Time("/proc", 1<<30); err == nil {
		t.Error("a process that does not exist has a CPU time")
	}
}
