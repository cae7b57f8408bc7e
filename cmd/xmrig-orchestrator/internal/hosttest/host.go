// Package hosttest is a host for tests of the agent. It fakes what is around
// the agent and nothing of the agent itself: the miner's API, systemctl and
// journalctl, proc(5) and the monotonic clock. Databases are real.
//
// Tests must not depend on the speed of the machine. So each method that waits
// waits for an event, for as long as Patience, and the clock of the agent's
// decisions does not follow the real one: see Host.SinceBoot.
//
// What else of a host the agent comes to ask for belongs here, faked in the same
// way, in a file named for it.
package hosttest

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// Patience is how long a test waits for what must happen. How fast it happens is
// no test's matter: the machine may be busy.
const Patience = 3 * time.Minute

// A Host is the world around an agent.
type Host struct {
	T        testing.TB
	Dir      string
	Settings agent.Settings // as Configure writes them

	// OwnDatabase makes the database of the settings the agent's own.
	OwnDatabase bool

	answer   atomic.Pointer[string]
	broken   atomic.Pointer[func(net.Conn)]
	before   atomic.Pointer[func()]
	asked    atomic.Int64
	observed atomic.Int64 // times that SinceBoot was called
	calls    int          // bytes that Calls has returned
}

// New makes a host whose miner's API hangs up and whose systemd knows no unit.
// A test that has a host cannot be parallel: the programs are found by PATH.
func New(t testing.TB) *Host {
	t.Helper()
	h := &Host{T: t, Dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go h.serve(l)

	h.Write("systemctl", systemctl)
	h.Write("journalctl", journalctl)
	t.Setenv("PATH", h.Dir+":"+os.Getenv("PATH"))
	t.Setenv("XMRIG_DB_PATH", "")
	t.Setenv("NOTIFY_SOCKET", "")
	if err := os.Mkdir(h.RunDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	h.Settings = agent.Settings{
		Hostname: "mini-1",
		WorkerID: "mini-1-production",
		Database: filepath.Join(h.Dir, "db.sqlite3"),
		Interval: agent.Duration(20 * time.Millisecond),
		API:      agent.API{Address: l.Addr().String()},
	}
	h.Configure()
	return h
}

// RunDir is the agent's run directory.
func (h *Host) RunDir() string { return filepath.Join(h.Dir, "run") }

// MinerConfig is the path of the miner's configuration file.
func (h *Host) MinerConfig() string { return filepath.Join(h.Dir, "config.json") }

// Own is the path of the agent's own database.
func (h *Host) Own() string {
	if h.OwnDatabase {
		return h.Settings.Database
	}
	return filepath.Join(h.Dir, "own.sqlite3")
}

// SettingsFile is the file that Configure writes.
func (h *Host) SettingsFile() string { return filepath.Join(h.Dir, "orchestrator.json") }

// Configure writes the settings.
func (h *Host) Configure() {
	h.T.Helper()
	b, err := json.Marshal(h.Settings)
	if err != nil {
		h.T.Fatal(err)
	}
	h.Write("orchestrator.json", string(b))
}

// Write replaces a file of the host at once, so that no reader sees a half of
// it.
func (h *Host) Write(name, content string) {
	h.T.Helper()
	file := filepath.Join(h.Dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		h.T.Fatal(err)
	}
	if err := os.WriteFile(file+".new", []byte(content), 0o755); err != nil {
		h.T.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		h.T.Fatal(err)
	}
}

// Until waits until done is true. Otherwise the test fails with a message that
// stuck returns.
func (h *Host) Until(done func() bool, stuck func() string) {
	h.T.Helper()
	for end := time.Now().Add(Patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.T.Fatal(stuck())
		}
	}
}
