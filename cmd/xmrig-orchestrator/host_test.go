package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xmrfleet/cmd/internal/recorded"
	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// patient is how long a test waits for what has to happen. How fast it happens
// is another matter: the machine may be busy.
const patient = time.Minute

// stopping is how long the agent may take to end: half a second of its own
// choice, on a machine that is busy. systemd waits for ten.
const stopping = 5 * time.Second

// A host is the world around the agent: a miner's API, systemd and a
// directory for settings and database.
type host struct {
	t        testing.TB
	dir      string
	settings agent.Settings
	own      bool                           // its database is the agent's own
	answer   atomic.Pointer[string]         // of the API; nil: it hangs up
	broken   atomic.Pointer[func(net.Conn)] // answers in its place
	asked    atomic.Int64
}

func newHost(t testing.TB) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go h.serve(l)

	h.write("systemctl", fakeSystemctl)
	h.write("journalctl", "#!/bin/sh\ncat \"${0%/*}/log\" 2>/dev/null\n:\n")
	t.Setenv("PATH", h.dir+":"+os.Getenv("PATH"))
	t.Setenv("XMRIG_DB_PATH", "")
	t.Setenv("NOTIFY_SOCKET", "")
	if err := os.Mkdir(filepath.Join(h.dir, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.settings = agent.Settings{
		Hostname: "mini-1",
		WorkerID: "mini-1-production",
		Database: filepath.Join(h.dir, "db.sqlite3"),
		Interval: agent.Duration(20 * time.Millisecond),
		API:      agent.API{Address: l.Addr().String()},
	}
	h.configure()
	return h
}

func (h *host) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		request := make([]byte, 1024)
		n, _ := c.Read(request)
		if !strings.HasPrefix(string(request[:n]), "GET /2/summary ") {
			c.Close()
			continue
		}
		h.asked.Add(1)
		if broken := h.broken.Load(); broken != nil {
			(*broken)(c)
		} else if a := h.answer.Load(); a != nil {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(*a), *a)
		}
		c.Close()
	}
}

// mount mounts a file system on a directory of the host's.
func (h *host) mount(name string, args ...string) (dir string) {
	h.t.Helper()
	if os.Getuid() != 0 {
		h.t.Skip("needs root to mount a file system")
	}
	dir = filepath.Join(h.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.t.Fatal(err)
	}
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		h.t.Skipf("mount: %v %s", err, out)
	}
	h.t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	return dir
}

// fill leaves no room in a directory of 1 MB until empty.
func (h *host) fill(dir string) (empty func()) {
	h.t.Helper()
	file := filepath.Join(dir, "fill")
	if err := os.WriteFile(file, make([]byte, 2<<20), 0o600); err == nil {
		h.t.Fatal("the disk is not full")
	}
	return func() {
		if err := os.Remove(file); err != nil {
			h.t.Fatal(err)
		}
	}
}

// logged waits for a text in the log.
func (h *host) logged(log *journal, what string) {
	h.t.Helper()
	for end := time.Now().Add(patient); !strings.Contains(log.String(), what); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("not in the log: %s\n%s", what, log)
		}
	}
}

// write replaces a file at once, so that no reader sees a half of it.
func (h *host) write(name, content string) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	if err := os.WriteFile(file+".new", []byte(content), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) configure() {
	h.t.Helper()
	b, err := json.Marshal(h.settings)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("orchestrator.json", string(b))
}

// says has the API answer with a recorded summary and other hashrates.
func (h *host) says(name, rates string) {
	h.t.Helper()
	text := recorded.Body(name + ".summary")
	if i := strings.Index(text, `"total": [`); rates != "" {
		text = text[:i] + `"total": [` + rates + text[i+strings.Index(text[i:], "]"):]
	}
	h.answer.Store(&text)
}

// fakeSystemctl shows the unit and writes down what else it is told. A script
// beside it says what happens then.
const fakeSystemctl = `#!/bin/sh
dir=${0%/*}
case $1 in
show) exec cat "$dir/unit" ;;
esac
echo "$*" >>"$dir/calls"
[ ! -e "$dir/then" ] || . "$dir/then"
`

// runs has systemd tell of a miner that has been running for an hour.
func (h *host) runs(pid, restarts int) {
	h.write("unit", fmt.Sprintf(`LoadState=loaded
ActiveState=active
SubState=running
Result=success
MainPID=%d
NRestarts=%d
ExecMainCode=0
ExecMainStatus=0
ExecMainStartTimestamp=Sun 2026-11-22 22:10:%02d UTC
ExecMainStartTimestampMonotonic=-3600000000
ExecMainExitTimestamp=n/a
`, pid, restarts, pid%60))
}

// ends has systemd tell of a miner that is not running.
func (h *host) ends(active, sub, result string, code, status, restarts int) {
	h.write("unit", fmt.Sprintf(`LoadState=loaded
ActiveState=%s
SubState=%s
Result=%s
MainPID=0
NRestarts=%d
ExecMainCode=%d
ExecMainStatus=%d
ExecMainStartTimestamp=Sun 2026-11-22 22:10:00 UTC
ExecMainStartTimestampMonotonic=-3600000000
ExecMainExitTimestamp=Sun 2026-11-22 23:10:00 UTC
`, active, sub, result, restarts, code, status))
}

// A journal collects what the agent logs.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// main is the program in this world.
func (h *host) main() *Main {
	m := NewMain()
	m.Backoff = 50 * time.Millisecond
	m.Ports.Proc = filepath.Join(h.dir, "proc")
	m.Own, m.RunDir = filepath.Join(h.dir, "own.sqlite3"), filepath.Join(h.dir, "run")
	if h.own {
		m.Own = h.settings.Database
	}
	return m
}

// start runs the daemon on its own database until stop, which returns what it
// logged.
func (h *host) start(own bool) (log *journal, stop func()) {
	h.t.Helper()
	log = new(journal)
	h.own = own
	m := h.main()
	m.Stdout, m.Stderr = io.Discard, log
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, []string{"run", "--settings", filepath.Join(h.dir, "orchestrator.json")}) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			begin := time.Now()
			if err := <-done; err != nil {
				h.t.Errorf("run: %v", err)
			}
			if err := m.Close(); err != nil {
				h.t.Errorf("close: %v", err)
			}
			if took := time.Since(begin); took > stopping {
				h.t.Errorf("the stop took %v", took)
			}
		})
	}
	h.t.Cleanup(stop)
	return log, stop
}

// row reads what is recorded, the zero Process while nothing is.
func (h *host) row() health.Process {
	db, err := store.OpenReadOnly(h.t.Context(), h.settings.Database)
	if err != nil {
		return health.Process{}
	}
	defer db.Close()
	p, _ := db.Process(h.t.Context(), "mini-1")
	return p
}

// await waits until the row is as wanted.
func (h *host) await(what string, want func(health.Process) bool) health.Process {
	h.t.Helper()
	end := time.Now().Add(patient)
	for {
		p := h.row()
		if want(p) {
			return p
		}
		if time.Now().After(end) {
			p.Snapshot = nil
			h.t.Fatalf("%s: the row stays\n%+v", what, p)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// caused waits until the status names a cause, and returns it. A decision is
// recorded a moment after the row.
func (h *host) caused(cause health.Cause) string {
	h.t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(10 * time.Millisecond) {
		out, _, err := h.command("status", "--json")
		if err == nil && strings.Contains(out, `"cause":"`+string(cause)+`"`) {
			return out
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s: the status stays %s, %v", cause, out, err)
		}
	}
}

// polled waits until the miner was asked again, in full.
func (h *host) polled(what string) {
	h.t.Helper()
	n := h.asked.Load()
	for end := time.Now().Add(patient); h.asked.Load() < n+2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s: the miner is not asked any more", what)
		}
	}
}

// awaitPoll waits until a poll after this moment is recorded.
func (h *host) awaitPoll(what string) {
	h.t.Helper()
	now := time.Now()
	h.await(what, func(p health.Process) bool { return p.CheckedAt.After(now) })
}
