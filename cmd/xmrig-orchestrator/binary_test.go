package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// build builds the agent as it is shipped.
func build(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "xmrig-orchestrator")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// resident reads VmRSS or VmHWM of a process, in kB.
func resident(t testing.TB, pid int, field string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no %s in /proc/%d/status", field, pid)
	}
	kB, _ := strconv.Atoi(string(m[1]))
	return kB
}

// An agent is the binary at work on a host.
type running struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan error
}

// launch starts the binary and waits until it has polled n times. The
// database is the agent's own, or one beside it.
func (h *host) launch(bin string, own bool, n int64) *running {
	h.t.Helper()
	h.runs(os.Getpid(), 0)
	h.says("logged-in-no-job", "4012.5,4013.1,4000.9")
	h.settings.Interval = agent.Duration(20 * time.Millisecond)
	h.settings.Database = filepath.Join(h.dir, "orchestrator.sqlite3")
	if !own {
		h.settings.Database = filepath.Join(h.dir, "production.sqlite3")
		h.write("production.sqlite3", "")
	}
	h.configure()
	r := &running{ended: make(chan error, 1)}
	r.cmd = exec.Command(bin, "--settings", filepath.Join(h.dir, "orchestrator.json"))
	r.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "STATE_DIRECTORY="+h.dir, "RUNTIME_DIRECTORY="+filepath.Join(h.dir, "run"))
	r.cmd.Stderr = &r.log
	if err := r.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	h.t.Cleanup(func() { r.cmd.Process.Kill() })
	for h.asked.Load() < n {
		select {
		case err := <-r.ended:
			h.t.Fatalf("ended after %d polls: %v\n%s", h.asked.Load(), err, &r.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return r
}

// stop ends it as systemd does, and returns what CPU time it used.
func (r *running) stop(t testing.TB) time.Duration {
	t.Helper()
	begin := time.Now()
	r.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-r.ended; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, &r.log)
	}
	if took := time.Since(begin); took > stopping {
		t.Errorf("the stop took %v", took)
	}
	return r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()
}

// atRest is the VmRSS of a process in kB, as it is most of the time: a poll
// takes a few milliseconds, and needs the code that is let go of between two.
func (r *running) atRest(t testing.TB) int {
	t.Helper()
	sizes := make([]int, 51)
	for i := range sizes {
		sizes[i] = resident(t, r.cmd.Process.Pid, "VmRSS")
		time.Sleep(7 * time.Millisecond)
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2]
}

// After a thousand polls, three hours of production, the agent is below 10 MB
// at rest; it then ends soon after SIGTERM.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary and polls a thousand times")
	}
	bin := build(t)
	const limit = 10_000_000 / 1024 // kB
	for name, own := range map[string]bool{"own database": true, "shared database": false} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			r := h.launch(bin, own, 1000)
			pid := r.cmd.Process.Pid
			rss, peak := r.atRest(t), resident(t, pid, "VmHWM")
			t.Logf("after %d polls: VmRSS %d kB, VmHWM %d kB, RssAnon %d kB, RssFile %d kB", h.asked.Load(), rss, peak,
				resident(t, pid, "RssAnon"), resident(t, pid, "RssFile"))
			if rss > limit {
				t.Errorf("VmRSS is %d kB, more than %d", rss, limit)
			}
			t.Logf("CPU per poll: %v", r.stop(t)/time.Duration(h.asked.Load()))
			if p := h.row(); p.State != "running" || p.PID != os.Getpid() {
				t.Errorf("the row is %+v", p)
			}
		})
	}
	for command, want := range map[string]int{"version": 0, "status": 1, "stat": 64} {
		cmd := exec.Command(bin, command, "--settings", "/nowhere")
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s exits %d, want %d", command, got, want)
		}
	}
}

// What the agent costs a host after b.N polls.
func BenchmarkAgent(b *testing.B) {
	bin := build(b)
	h := newHost(b)
	r := h.launch(bin, true, int64(b.N))
	rss, peak := r.atRest(b), resident(b, r.cmd.Process.Pid, "VmHWM")
	polls := h.asked.Load()
	perPoll := float64(r.stop(b).Microseconds()) / 1000 / float64(polls)
	size, err := os.Stat(bin)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(rss), "VmRSS-kB")
	b.ReportMetric(float64(peak), "VmHWM-kB")
	b.ReportMetric(perPoll, "CPU-ms/poll")
	b.ReportMetric(perPoll/10_000*100, "%CPU-at-10s")
	b.ReportMetric(float64(size.Size()/1024), "binary-kB")
}
