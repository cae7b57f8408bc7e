package cpu

import (
	"os"
	"runtime"
	"sync"
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

// All threads count: two of them use more than one could.
func TestTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	before, err := Time(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var threads sync.WaitGroup
	for range 2 {
		threads.Go(func() {
			runtime.LockOSThread() // and end with it
			for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
			}
		})
	}
	threads.Wait()
	after, err := Time(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if used := after - before; used < 2*tick || used > 5*time.Second {
		t.Errorf("used %v", used)
	}
	if _, err := Time(1 << 30); err == nil {
		t.Error("a process that does not exist has a CPU time")
	}
}
