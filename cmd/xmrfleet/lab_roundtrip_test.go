//go:build lab

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
)

// TestRoundTripBudget counts what a plan, an exec and a small apply cost on the
// network, by what they take longer through a proxy that delays every byte.
func TestRoundTripBudget(t *testing.T) {
	const way = 200 * time.Millisecond // so long that the work at the ends does not blur it
	f := aloneFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()

	near := f.lab.SSHConfig()
	far := f.through(sshtest.Delay(t, net.JoinHostPort(f.lab.Host("mini-1").Address(), "22"), way).Addr())
	took := func(config string, code int, args ...string) time.Duration {
		t.Helper()
		best := time.Hour
		for range 3 {
			began := time.Now()
			f.mustRun(code, append(args, "--ssh-config", config)...)
			best = min(best, time.Since(began))
		}
		return best
	}
	trips := func(far, near time.Duration) float64 { return float64(far-near) / float64(2*way) }

	plan := trips(took(far, exitDone, "plan", "--detailed-exitcode"), took(near, exitDone, "plan", "--detailed-exitcode"))
	t.Logf("plan: %.2f round trips", plan)
	if plan > 10 {
		t.Errorf("a plan takes %.2f round trips, more than 10", plan)
	}

	exec := trips(took(far, exitDone, "exec", "true"), took(near, exitDone, "exec", "true"))
	t.Logf("exec: %.2f round trips", exec)
	if exec > plan+1.5 { // the frame of the command is the second one
		t.Errorf("an exec takes %.2f round trips, more than one more than a plan", exec)
	}

	edit := func(config string) time.Duration {
		t.Helper()
		best := time.Hour
		for range 3 {
			f.sh("mini-1", `echo ' ' >>/etc/xmrig/config.json`)
			began := time.Now()
			f.mustRun(exitDone, "apply", "--yes", "--ssh-config", config)
			best = min(best, time.Since(began))
		}
		return best
	}
	apply := trips(edit(far), edit(near))
	t.Logf("apply of an edited config: %.2f round trips", apply)
	if apply > plan+3.5 { // half of one for what the clock blurs
		t.Errorf("a small apply takes %.2f round trips more than a plan, more than 3", apply-plan)
	}
}

// through writes an ssh configuration in which mini-1 is behind a proxy.
func (f *fleet) through(proxy string) string {
	f.t.Helper()
	host, port, err := net.SplitHostPort(proxy)
	if err != nil {
		f.t.Fatal(err)
	}
	config, err := os.ReadFile(f.lab.SSHConfig())
	if err != nil {
		f.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(config), "Host *")
	path := filepath.Join(f.dir, "ssh_config")
	text := fmt.Sprintf("Host mini-1\n\tHostName %s\n\tPort %s\n\tHostKeyAlias mini-1\nHost *%s", host, port, rest)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}
