//go:build lab

package main

import (
	"context"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"xmrfleet/cmd/internal/labtest"
)

// took hides how long a run took.
var took = regexp.MustCompile(` +\d+\.\ds\n`)

func TestExec(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "m2" {}`+"\n"+`host "m3" {}`+"\n"+`host "dead" { address = "127.0.0.1" }`, "m1", "m2", "m3")
	f.sh("m3", `touch /run/odd`)
	o := f.mustRun(exitPartial, "exec", "--", `echo same; ! [ -e /run/odd ] || { echo odd >&2; exit 4; }`)
	contains(t, o.stdout, "  ! dead  connect 127.0.0.1:22: connection refused\n")
	check(t, took.ReplaceAllString(o.stdout, "\n"), `
  = m1, m2    2 hosts, same output
      same
  ! m3  exit 4
      same
      stderr:
        odd
  ! dead  connect 127.0.0.1:22: connection refused

Exec: exit 0 on 2 of 4 hosts, exit 4 on 1. 1 host was not reached.
retry: xmrfleet exec -l m3,dead -- 'echo same; ! [ -e /run/odd ] || { echo odd >&2; exit 4; }'
`)
	o = f.mustRun(exitDone, "exec", "-l", "@failed", "--exclude", "dead", "--", "printf", "%s|", "a b", "$HOME", "it's", "*", "")
	if o.stdout != "a b|$HOME|it's|*||" || o.stderr != "" {
		t.Error(o)
	}
	o = f.mustRun(exitError, "exec", "-l", "dead", "--", "true")
	contains(t, o.stderr, "1 host was not reached.")
	o = f.mustRun(exitPartial, "exec", "-l", "m3", "--", "echo out; echo err >&2; exit 5")
	if o.stdout != "out\n" || !strings.HasPrefix(o.stderr, "err\n  ! m3  exit 5\n") {
		t.Error(o)
	}
	if o := f.mustRun(exitDone, "exec", "-l", "m1", "--", "id -un; pwd"); o.stdout != "deploy\n/home/deploy\n" {
		t.Error(o)
	}
	if o := f.mustRun(exitDone, "exec", "-l", "m1", "--sudo", "--", "id -un; pwd"); o.stdout != "root\n/root\n" {
		t.Error(o)
	}
	contains(t, f.sh("m1", `journalctl -q -t xmrfleet -o cat`), ": exec id -un; pwd\n", ": exec id -un; pwd: done\n")
	o = f.mustRun(exitDone, "exec", "-l", "m[1-2]", "--stream", "--", "echo one; echo two >&2")
	contains(t, o.stdout, "m1  one\n", "m2  one\n")
	contains(t, o.stderr, "m1  two\n", "m2  two\n", "Exec: exit 0 on 2 of 2 hosts.")
	o = f.mustRun(exitDone, "exec", "-l", "m[1-2]", "--json", "--", "echo one; echo two >&2")
	contains(t, o.stdout, `"exit_status":0,"stdout":"one\n","stderr":"two\n"`)

	o = f.mustRun(exitDone, "exec", "-l", "m1", "--", "head -c 20000000 /dev/zero | tr '\\0' 'x'")
	if len(o.stdout) != 20000000 {
		t.Errorf("%d bytes were passed through", len(o.stdout))
	}
	o = f.mustRun(exitDone, "exec", "-l", "m[1-2]", "--", "head -c 3000000 /dev/zero | tr '\\0' 'x'")
	contains(t, o.stdout, "m1, m2    2 hosts, same output\n", "x\n      (truncated: 1951424 bytes more)\n")
}

func TestFacts(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "dead" { address = "127.0.0.1" }`, "m1")
	o := f.mustRun(exitPartial, "facts")
	contains(t, o.stdout, "HOST  SYSTEM                          KERNEL", "\nm1    Debian GNU/Linux 12 (bookworm)  ",
		"  ! dead  connect 127.0.0.1:22: connection refused\n", "Facts: 2 hosts, ", "1 host was not read.")
	contains(t, f.mustRun(exitDone, "facts", "-l", "m1", "--json").stdout, `"facts":{"hostname":"m1","os":"Debian GNU/Linux 12 (bookworm)"`, `"supported":true`)
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("\n--- got\n%s--- want\n%s", got, want)
	}
}

// running counts the processes of a name on a host.
func (f *fleet) running(host, name string) string {
	f.t.Helper()
	return strings.TrimSpace(f.sh(host, `pgrep -c -x "$1" || :`, name))
}

// noneLeft waits until a program runs no more on a host.
func (f *fleet) noneLeft(host, name string) {
	f.t.Helper()
	labtest.Wait(f.t, func() bool { return f.running(host, name) == "0" },
		func() string { return name + " still runs on " + host + ":\n" + f.sh(host, `ps -ef`) })
}

// waitFor waits until a program runs on a host.
func (f *fleet) waitFor(host, name string) {
	f.t.Helper()
	labtest.Wait(f.t, func() bool { return f.running(host, name) != "0" },
		func() string { return name + " does not run on " + host })
}

// hours is so long that a test that waits for its end does not pass.
const hours = "9999"

// An exec that is interrupted or takes too long leaves nothing behind.
func TestExecEnds(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "m2" {}`, "m1", "m2")
	f.sh("m2", `echo 'Defaults use_pty' >/etc/sudoers.d/pty`)
	r := f.start("exec", "--sudo", "--", "sleep "+hours+" & sleep "+hours+"; echo not reached")
	f.waitFor("m1", "sleep")
	f.waitFor("m2", "sleep")
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	contains(t, o.stdout, "  ! m1  run command: interrupted\n", "  ! m2  run command: interrupted\n", "On 2 the command did not end.")
	f.noneLeft("m1", "sleep")
	f.noneLeft("m2", "sleep")

	o = f.mustRun(exitPartial, "exec", "--timeout", "10s", "--", "trap '' TERM; sleep "+hours+"; sleep "+hours)
	contains(t, o.stdout, "  ! m1  run command: not done within --timeout 10s; the host ends it\n")
	f.noneLeft("m1", "sleep")
}

func TestRerun(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "m2" {}`, "m1", "m2")
	contains(t, f.mustRun(exitError, "rerun").stderr, "read the last run: none of fleet.hcl is remembered here\n")
	contains(t, f.mustRun(exitError, "plan", "-l", "@failed").stderr, "select @failed: read the last run: none of fleet.hcl is remembered here\n")
	cut := func(host string) {
		t.Helper()
		if err := f.lab.Host(host).Cut(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	join := func(host string) {
		t.Helper()
		if err := f.lab.Host(host).Join(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	// The link of one host breaks under a running command.
	r := f.start("exec", "--connect-timeout", "5s", "--", "echo x >>count; until [ -e /run/quick ]; do sleep 1; done")
	f.waitFor("m1", "sleep")
	f.waitFor("m2", "sleep")
	cut("m2")
	f.sh("m1", `touch /run/quick`)
	o := r.wait(exitPartial)
	contains(t, o.stdout, "  = m1    no output\n", "  ! m2  run command: no sign of life for 12s\n", "On 1 the command did not end.")
	o = f.mustRun(exitError, "rerun")
	contains(t, o.stderr, "xmrfleet exec --connect-timeout 5s -l m2 -- ")
	join("m2")
	f.sh("m2", `touch /run/quick`)
	o = f.mustRun(exitDone, "rerun")
	if got := f.sh("m1", `cat ~deploy/count`) + "-" + f.sh("m2", `cat ~deploy/count`); got != "x\n-x\nx\n" {
		t.Errorf("runs: %q", got)
	}
	contains(t, f.mustRun(exitDone, "rerun").stdout, "Nothing to rerun: no host failed in the last run (xmrfleet exec, ")

	cut("m1")
	f.mustRun(exitPartial, "apply", "--yes", "--connect-timeout", "5s")
	f.mustRun(exitPartial, "status", "--connect-timeout", "5s") // is not what is repeated
	join("m1")
	o = f.mustRun(exitDone, "rerun")
	contains(t, o.stderr, "xmrfleet apply --yes --connect-timeout 5s -l m1\n")
	contains(t, o.stdout, "Apply: 1 of 1 host converged")
	f.converged()
}
