//go:build lab

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/release"
)

// The tests of these files run the built xmrfleet against real hosts: Debian
// with systemd, sshd and sudo. Only the miner is a simulator, unless
// XMRIG_ARCHIVE names a real release.

// wallet is the donation address of the Monero project.
const wallet = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"

// archive is the release that the hosts get, made once.
var archive = sync.OnceValues(func() (release.Archive, error) {
	const dir = "../../bin/testrelease"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return release.Archive{}, err
	}
	a, err := release.Build(context.Background(), dir)
	if err != nil {
		return a, err
	}
	a.Path, err = filepath.Abs(a.Path)
	return a, err
})

// A fleet is a lab, a fleet file and the environment to run xmrfleet in.
type fleet struct {
	t    *testing.T
	lab  *lab.Lab
	dir  string // the working directory, with fleet.hcl
	env  map[string]string
	path string // of the program under test
}

// newFleet boots hosts and writes a fleet.hcl with extra at its end. Without
// extra it is the repository's own example.
func newFleet(t *testing.T, extra string, hosts ...string) *fleet {
	t.Helper()
	t.Parallel()
	return aloneFleet(t, extra, hosts...)
}

// aloneFleet is newFleet for a test that measures time: no other one runs
// beside it.
func aloneFleet(t *testing.T, extra string, hosts ...string) *fleet {
	t.Helper()
	program, err := filepath.Abs("../../bin/xmrfleet")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Fatalf("%v; run `make build` first", err)
	}
	a, err := archive()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, lab: lab.Start(t, hosts...), dir: t.TempDir(), path: program, env: map[string]string{
		"PATH":                      os.Getenv("PATH"),
		"HOME":                      t.TempDir(),
		"MONERO_WALLET":             wallet,
		"XMRFLEET_VAR_xmrig_source": a.Path,
		"XMRFLEET_VAR_xmrig_sha256": a.SHA256,
	}}
	f.env["XMRFLEET_SSH_CONFIG"] = f.lab.SSHConfig()
	if extra == "" {
		example, err := os.ReadFile("../../fleet.hcl")
		if err != nil {
			t.Fatal(err)
		}
		f.write(string(example))
		return f
	}
	f.write(preamble + extra)
	return f
}

// preamble is the part of a fleet file that most tests have in common.
const preamble = `
wallet = env("MONERO_WALLET")
variable "xmrig_sha256" {}
variable "xmrig_source" {}
pool "a" { url = "pool-a.example:443" }
xmrig {
  version = "6.26.0"
  sha256  = var.xmrig_sha256
  source  = var.xmrig_source
}
agent { interval = "1s" }
`

func (f *fleet) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "fleet.hcl"), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// An outcome is what a run of xmrfleet left.
type outcome struct {
	stdout, stderr string
	code           int
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", o.code, o.stdout, o.stderr)
}

// command prepares a run of xmrfleet against the lab.
func (f *fleet) command(args ...string) *exec.Cmd {
	cmd := exec.Command(f.path, args...)
	cmd.Dir = f.dir
	for name, value := range f.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// run runs xmrfleet to its end.
func (f *fleet) run(args ...string) outcome {
	f.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := f.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// mustRun is run with a known exit code.
func (f *fleet) mustRun(code int, args ...string) outcome {
	f.t.Helper()
	o := f.run(args...)
	if o.code != code {
		f.t.Fatalf("xmrfleet %s: want exit %d, got %v", strings.Join(args, " "), code, o)
	}
	return o
}

// apply converges the fleet.
func (f *fleet) apply() outcome {
	f.t.Helper()
	return f.mustRun(exitDone, "apply", "--yes")
}

// converged fails unless a plan finds nothing to do.
func (f *fleet) converged() {
	f.t.Helper()
	f.mustRun(exitDone, "plan", "--detailed-exitcode")
}

// sh runs a script as root inside a host, without SSH.
func (f *fleet) sh(host, script string, args ...string) string {
	f.t.Helper()
	out, err := f.lab.Host(host).Sh(context.Background(), script, args...)
	if err != nil {
		f.t.Fatalf("%s: %v", host, err)
	}
	return out
}

// contains fails unless text has every one of the parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("want %q in:\n%s", part, text)
		}
	}
}
