//go:build lab

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/executor/sshtest"
)

// TestRoundTripBudget counts what a plan, an exec and a small apply cost on the
// network.
func TestRoundTripBudget(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()
	proxy := sshtest.Count(t, net.JoinHostPort(f.lab.Host("mini-1").Address(), "22"))
	config := f.through(proxy.Addr())
	trips := func(args ...string) int { return f.trips(proxy, append(args, "--ssh-config", config)...) }

	plan := trips("plan", "--detailed-exitcode")
	if plan > 10 {
		t.Errorf("a plan takes %d round trips, more than 10", plan)
	}
	exec := trips("exec", "true")
	if exec > plan+1 { // the frame of the command is the second one
		t.Errorf("an exec takes %d round trips, more than one more than a plan", exec)
	}
	f.sh("mini-1", `echo ' ' >>/etc/xmrig/config.json`)
	apply := trips("apply", "--yes")
	if apply > plan+3 {
		t.Errorf("a small apply takes %d round trips more than a plan, more than 3", apply-plan)
	}
	t.Logf("round trips: plan %d, exec %d, apply of an edited config %d", plan, exec, apply)
}

// trips runs a command that reaches its host by way of a proxy, and returns how
// often it waited for the network.
func (f *fleet) trips(proxy *sshtest.Proxy, args ...string) int {
	f.t.Helper()
	proxy.Settle()
	before := proxy.RoundTrips()
	f.mustRun(exitDone, append(args, "--connect-timeout", "5m")...)
	return proxy.RoundTrips() - before
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
