// Package labtest is what the lab tests of both commands have in common: the
// release that the hosts get, the built xmrfleet and the environment that it runs
// in, scripts on hosts, and waiting.
//
// Each command's tests have a small type of their own around it. It is for tests
// only: nothing that is shipped may import it. What only one command's tests need
// stays there. It takes and returns plain values, and whatever goes wrong ends
// the test.
package labtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"al.essio.dev/pkg/shellescape"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/release"
	"xmrfleet/hcl/hcltest"
)

// Preamble is the part of a fleet file that most tests have in common. Environment
// has the values that it asks for.
const Preamble = `
wallet = env("MONERO_WALLET")
variable "xmrig_sha256" {}
variable "xmrig_source" {}
variable "xmrig_version" {}
pool "a" { url = "pool-a.example:443" }
xmrig {
  version = var.xmrig_version
  sha256  = var.xmrig_sha256
  source  = var.xmrig_source
}
`

// root is the directory of the module.
var root = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(out))), err
})

// archive is the release that Archive returns, made once a process.
var archive = sync.OnceValues(func() (release.Archive, error) {
	root, err := root()
	if err != nil {
		return release.Archive{}, err
	}
	dir := filepath.Join(root, "bin/testrelease")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return release.Archive{}, err
	}
	return release.Build(context.Background(), dir)
})

// Archive is the release that the hosts get: the simulator, or a real XMRig if
// XMRIG_ARCHIVE names one.
func Archive(t testing.TB) release.Archive {
	t.Helper()
	a, err := archive()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Program is the path of the xmrfleet under test.
func Program(t testing.TB) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "bin/xmrfleet")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; run `make build` first", err)
	}
	return program
}

// Client makes a directory to run xmrfleet in and the environment to do so, both
// for the hosts of a lab. They lie in the lab: a lab that is kept after a red test
// has them still, and the log says how to go on with them.
func Client(t testing.TB, l *lab.Lab) (dir string, env map[string]string) {
	t.Helper()
	dir = filepath.Join(l.Dir(), "client")
	env = map[string]string{
		"PATH":                os.Getenv("PATH"),
		"HOME":                filepath.Join(l.Dir(), "home"),
		"MONERO_WALLET":       hcltest.Wallet,
		"XMRFLEET_SSH_CONFIG": l.SSHConfig(),
	}
	maps.Copy(env, Variables(Archive(t)))
	for _, made := range []string{dir, env["HOME"]} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := Program(t)
	t.Cleanup(func() {
		if lab.Kept(t) {
			t.Logf("to run xmrfleet as this test did: cd %s && env %s %s plan", dir, strings.Join(pairs(env), " "), program)
		}
	})
	return dir, env
}

// Variables are those of the environment that say which release hosts get.
func Variables(a release.Archive) map[string]string {
	return map[string]string{
		"XMRFLEET_VAR_xmrig_source":  a.Path,
		"XMRFLEET_VAR_xmrig_sha256":  a.SHA256,
		"XMRFLEET_VAR_xmrig_version": a.Version,
	}
}

// RailsTables are those of a Rails application, as its migrations leave them:
// what it takes for the agent to work in the database.
const RailsTables = `
CREATE TABLE xmrig_processes (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, pid integer, status varchar DEFAULT 'stopped' NOT NULL,
	worker_id varchar NOT NULL, hostname varchar NOT NULL, started_at datetime(6), stopped_at datetime(6), error_count integer DEFAULT 0,
	last_error text, last_health_check_at datetime(6), restart_count integer DEFAULT 0, hashrate float, accepted_shares integer,
	rejected_shares integer, health_data text, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL);
CREATE TABLE xmrig_commands (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, hostname varchar NOT NULL, action varchar NOT NULL,
	status varchar DEFAULT 'pending' NOT NULL, reason text, result text, processed_at datetime(6), error_message text,
	created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL);`

// pairs are the variables of an environment as a shell reads them.
func pairs(env map[string]string) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		words = append(words, shellescape.Quote(name+"="+env[name]))
	}
	return words
}

// WriteFleet writes the fleet file of a directory.
func WriteFleet(t testing.TB, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "fleet.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Command prepares a run of xmrfleet in a directory, with this environment and no
// other.
func Command(t testing.TB, dir string, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(Program(t), args...)
	cmd.Dir = dir
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// Run runs a program to its end. An exit code is no error.
func Run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, other bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &other
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), other.String(), cmd.ProcessState.ExitCode()
}

// Sh runs a script as root inside a host, without SSH, and returns what it prints.
// It has to succeed.
func Sh(t testing.TB, h *lab.Host, script string, args ...string) string {
	t.Helper()
	out, err := h.Sh(context.Background(), script, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Until runs a script as root inside a host until it succeeds, and returns what it
// prints. If it never does, the test ends with its last error and with so far.
func Until(t testing.TB, h *lab.Host, sofar func() string, script string, args ...string) string {
	t.Helper()
	var out string
	var err error
	Wait(t, func() bool {
		out, err = h.Sh(context.Background(), script, args...)
		return err == nil
	}, func() string { return fmt.Sprintf("%v\n%s", err, sofar()) })
	return out
}

// Limit bounds every wait. It says nothing of how long anything should take: a
// test that waits for an event ends with it, and a machine may be slow.
const Limit = 5 * time.Minute

// Wait waits for an event: it asks done again and again. If the event does not
// come, the test ends with so far.
func Wait(t testing.TB, done func() bool, sofar func() string) {
	t.Helper()
	for end := time.Now().Add(Limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", Limit, sofar())
		}
	}
}
