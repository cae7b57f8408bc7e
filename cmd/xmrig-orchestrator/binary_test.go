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

	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
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

// TestReproducible builds the same sources in another directory.
func TestReproducible(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "elsewhere")
	for _, dir := range []string{"cmd/xmrig-orchestrator", "modules"} {
		if err := os.CopyFS(filepath.Join(copied, dir), os.DirFS(filepath.Join("../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here := build(t)
	t.Chdir(filepath.Join(copied, "cmd/xmrig-orchestrator"))
	there := build(t)
	a, err := os.ReadFile(here)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(there); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same sources build other bytes in another directory (%v)", err)
	}
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

// A process is the binary at work on a host.
type process struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan error
}

// launch starts the binary and waits until it has polled n times. The
// database is the agent's own, or one beside it.
func (h *host) launch(bin string, own bool, n int64) *process {
	h.T.Helper()
	h.Runs(os.Getpid(), 0)
	h.Says("logged-in-no-job", "4012.5,4013.1,4000.9")
	h.Settings.Interval = agent.Duration(20 * time.Millisecond)
	h.Settings.Database = filepath.Join(h.Dir, "orchestrator.sqlite3")
	if !own {
		h.Settings.Database = filepath.Join(h.Dir, "production.sqlite3")
		h.Migrate()
	}
	h.Configure()
	p := &process{ended: make(chan error, 1)}
	p.cmd = exec.Command(bin, "--settings", filepath.Join(h.Dir, "orchestrator.json"))
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "STATE_DIRECTORY="+h.Dir, "RUNTIME_DIRECTORY="+filepath.Join(h.Dir, "run"))
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		h.T.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	h.T.Cleanup(func() { p.cmd.Process.Kill() })
	for h.Asked() < n {
		select {
		case err := <-p.ended:
			h.T.Fatalf("ended after %d polls: %v\n%s", h.Asked(), err, &p.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return p
}

// stop ends it as systemd does, and returns what CPU time it used.
func (p *process) stop(t testing.TB) time.Duration {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("after SIGTERM: %v\n%s", err, &p.log)
		}
	case <-time.After(hosttest.Patience):
		t.Fatal("it does not end after SIGTERM")
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// median is the median of 51 figures.
func median(figure func() int) int {
	figures := make([]int, 51)
	for i := range figures {
		figures[i] = figure()
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// asking is the VmRSS of a process in kB while it waits for the miner's answer. A
// poll then has just begun, after the memory of the one before was given back.
func (p *process) asking(h *host) int {
	h.T.Helper()
	asked, answer := make(chan struct{}), make(chan struct{})
	defer close(answer)
	h.BeforeAnswer(func() {
		select {
		case asked <- struct{}{}:
			<-answer
		case <-answer: // closed: nobody reads any more
		}
	})
	defer h.BeforeAnswer(nil)
	return median(func() int {
		<-asked
		defer func() { answer <- struct{}{} }()
		return resident(h.T, p.cmd.Process.Pid, "VmRSS")
	})
}

// atRest is the VmRSS of a process in kB at 51 moments. On a machine that is not
// busy, most of them are between two polls.
func (p *process) atRest(t testing.TB) int {
	t.Helper()
	return median(func() int {
		time.Sleep(7 * time.Millisecond)
		return resident(t, p.cmd.Process.Pid, "VmRSS")
	})
}

// After a thousand polls, three hours of production, the agent is below 10 MB
// where it waits; it then ends upon SIGTERM.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary and polls a thousand times")
	}
	bin := build(t)
	const limit = 10_000_000 / 1024 // kB
	for name, own := range map[string]bool{"own database": true, "shared database": false} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			p := h.launch(bin, own, 1000)
			pid := p.cmd.Process.Pid
			rss, peak := p.asking(h), resident(t, pid, "VmHWM")
			t.Logf("after %d polls: VmRSS %d kB, VmHWM %d kB, RssAnon %d kB, RssFile %d kB", h.Asked(), rss, peak,
				resident(t, pid, "RssAnon"), resident(t, pid, "RssFile"))
			if rss > limit {
				t.Errorf("VmRSS is %d kB, more than %d", rss, limit)
			}
			t.Logf("CPU per poll: %v", p.stop(t)/time.Duration(h.Asked()))
			if row := h.Row(); row.State != "running" || row.PID != os.Getpid() {
				t.Errorf("the row is %+v", row)
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

// BenchmarkAgent measures what the agent costs a host after b.N polls.
func BenchmarkAgent(b *testing.B) {
	bin := build(b)
	h := newHost(b)
	p := h.launch(bin, true, int64(b.N))
	rss, peak := p.atRest(b), resident(b, p.cmd.Process.Pid, "VmHWM")
	polls := h.Asked()
	perPoll := float64(p.stop(b).Microseconds()) / 1000 / float64(polls)
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
