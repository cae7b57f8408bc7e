//go:build lab

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/hcl/hcltest"
)

// The tests of these files run the built xmrfleet against real hosts: Debian
// with systemd, sshd and sudo. Only the miner is a simulator, unless
// XMRIG_ARCHIVE names a real release.

const wallet = hcltest.Wallet

// preamble is the part of a fleet file that most tests have in common.
const preamble = labtest.Preamble + `agent { interval = "1s" }
`

// A fleet is a lab, a fleet file and the environment to run xmrfleet in.
type fleet struct {
	t   *testing.T
	lab *lab.Lab
	dir string // the working directory, with fleet.hcl
	env map[string]string
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
	return fleetOn(t, lab.System{}, extra, hosts...)
}

// fleetOn is aloneFleet with hosts of this system.
func fleetOn(t *testing.T, system lab.System, extra string, hosts ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, lab: lab.StartWith(t, lab.Options{Hosts: hosts, System: system})}
	f.dir, f.env = labtest.Client(t, f.lab)
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

func (f *fleet) write(text string) {
	f.t.Helper()
	labtest.WriteFleet(f.t, f.dir, text)
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
	f.t.Helper()
	return labtest.Command(f.t, f.dir, f.env, args...)
}

// run runs xmrfleet to its end.
func (f *fleet) run(args ...string) outcome {
	f.t.Helper()
	stdout, stderr, code := labtest.Run(f.t, f.command(args...))
	return outcome{stdout, stderr, code}
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
	return labtest.Sh(f.t, f.lab.Host(host), script, args...)
}

// until runs a script as root inside a host until it succeeds, and returns what
// it prints.
func (f *fleet) until(host, script string, args ...string) string {
	f.t.Helper()
	return labtest.Until(f.t, f.lab.Host(host), func() string { return "" }, script, args...)
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
