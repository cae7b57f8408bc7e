package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// build builds the agent as it is shipped.
func build(t *testing.T) string {
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
func resident(t *testing.T, pid int, field string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no %s in /proc/%d/status", field, pid)
	}
	kB, _ := strconv.Atoi(string(m[1]))
	return kB
}

// A thousand polls, three hours of production, leave the agent under 10 MB;
// it then ends well within a second of SIGTERM.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary and polls a thousand times")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	bin := build(t)
	h := newHost(t)
	h.runs(4711, 0)
	h.says("logged-in-no-job", "4012.5,4013.1,4000.9")
	h.settings.Interval = agent.Duration(5 * time.Millisecond)
	h.configure()
	db, err := store.OpenOwn(t.Context(), h.settings.Database)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()

	var log bytes.Buffer
	cmd := exec.Command(bin, "--settings", filepath.Join(h.dir, "orchestrator.json"))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for h.asked.Load() < 1000 {
		select {
		case err := <-ended:
			t.Fatalf("ended after %d polls: %v\n%s", h.asked.Load(), err, &log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	const limit = 10_000_000 / 1024
	rss, peak := resident(t, cmd.Process.Pid, "VmRSS"), resident(t, cmd.Process.Pid, "VmHWM")
	t.Logf("after %d polls: VmRSS %d kB, VmHWM %d kB, RssAnon %d kB, RssFile %d kB", h.asked.Load(), rss, peak,
		resident(t, cmd.Process.Pid, "RssAnon"), resident(t, cmd.Process.Pid, "RssFile"))
	if rss > limit {
		t.Errorf("VmRSS is %d kB, more than %d", rss, limit)
	}

	begin := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, &log)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the stop took %v", took)
	}
	t.Logf("CPU per poll: %v", (cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())/time.Duration(h.asked.Load()))
	if p := h.row(); p.State != "running" || p.PID != 4711 {
		t.Errorf("the row is %+v", p)
	}

	for command, want := range map[string]int{"version": 0, "status": 1, "stat": 64} {
		cmd := exec.Command(bin, command, "--settings", "/nowhere")
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s exits %d, want %d", command, got, want)
		}
	}
}
