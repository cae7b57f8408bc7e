//go:build lab

package main

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"xmrfleet/cmd/internal/labtest"
)

// TestUnreachable cuts one host of four off.
func TestUnreachable(t *testing.T) {
	f := newFleet(t, "", exampleHosts...)
	const dead = "miner-delta"
	if err := f.lab.Host(dead).Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.waitsOnlyFor(dead)

	o := f.mustRun(exitPartial, "apply", "--yes", "--connect-timeout", "5s")
	contains(t, o.stdout, "! "+dead+"  untouched: connect ", "no answer within 5s",
		"Apply: 3 of 4 hosts converged", "1 host is not.", "retry: xmrfleet apply --yes --connect-timeout 5s ", " -l "+dead+"\n")
	f.mustRun(exitDone, "plan", "--detailed-exitcode", "--exclude", dead)

	if err := f.lab.Host(dead).Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^retry: xmrfleet (.*)$`).FindStringSubmatch(o.stdout)
	if command == nil {
		t.Fatalf("no command to retry in %v", o)
	}
	retry := exec.Command("sh", "-c", `"$0" `+command[1], labtest.Program(f.t))
	retry.Dir, retry.Env = f.dir, f.command().Env
	if text, err := retry.CombinedOutput(); err != nil || !strings.Contains(string(text), "Apply: 1 of 1 host converged") {
		t.Errorf("%s: %v\n%s", command[0], err, text)
	}
	f.converged()
}

// waitsOnlyFor fails unless a plan is done with all other hosts while it waits for
// one that does not answer.
func (f *fleet) waitsOnlyFor(host string) {
	f.t.Helper()
	r := f.start("plan", "--json", "--connect-timeout", "1h")
	only := regexp.MustCompile(`"in_work":\[\{"host":"` + host + `"[^{}]*\}\]`)
	r.await("a wait for "+host+" alone", func() bool { return only.MatchString(r.stdout.String()) })
	r.signal(syscall.SIGINT)
	r.wait(exitInterrupted)
}

// TestFailedStart has a miner that ends soon after each start.
func TestFailedStart(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {}\nhost \"mini-2\" {}\n", "mini-1", "mini-2")
	f.sh("mini-2", `mkdir /run/xmrig-sim; echo crash=exit:1 >/run/xmrig-sim/control`)
	o := f.mustRun(exitPartial, "apply", "--yes")
	contains(t, o.stdout, "! mini-2  in between", "service xmrig: start xmrig.service: the process ended: exit-code; the last lines of its journal:",
		"ABOUT        XMRig/6.26.0", "Main process exited, code=exited, status=1/FAILURE",
		"not yet  start service xmrig", "Apply: 1 of 2 hosts converged", "-l mini-2\n")
	contains(t, o.stderr, "service xmrig: start xmrig.service: the process ended: exit-code; the last lines of its journal (", " lines more in the report)\n")
	if strings.Contains(o.stderr, "Main process exited") {
		t.Errorf("the journal is shown twice: %v", o)
	}
	f.mustRun(exitPartial, "apply", "--yes", "-l", "mini-2")
	f.sh("mini-2", `rm /run/xmrig-sim/control`)
	f.apply()
	f.converged()
}

// TestPortTaken has something else on the port of the miner's API.
func TestPortTaken(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	f.sh("mini-1", `systemd-run -q --unit=other systemd-socket-activate -l 127.0.0.1:8080 sleep infinity`)
	o := f.mustRun(exitPartial, "apply", "--yes")
	contains(t, o.stdout, "start xmrig.service: it runs, but its API does not answer: 127.0.0.1:8080 is answered by another process (pid ", "/sleep); to end it: systemctl disable --now other.service", "address already in use")
	if got := f.sh("mini-1", `systemctl is-active xmrig`); got != "active\n" {
		t.Errorf("the miner is %q", got)
	}
	f.sh("mini-1", `systemctl stop other`)
	f.plans("mini-1", []string{"~ restart service xmrig: its API did not answer after the last start", "+ start   service xmrig-orchestrator  start at boot: disabled -> enabled"})
	f.apply()
	f.sh("mini-1", `xmrig-orchestrator check`)
	f.converged()

	// A miner that somebody started by hand answers like the right one.
	f.sh("mini-1", `systemctl stop xmrig; sed s/pool-a/pool-z/ /etc/xmrig/config.json >/root/config.json
		setsid /usr/local/bin/xmrig -c /root/config.json >/dev/null 2>&1 &`)
	f.until("mini-1", `grep -q ":1F90 .* 0A " /proc/net/tcp`)
	o = f.mustRun(exitPartial, "apply", "--yes")
	found := regexp.MustCompile(`127\.0\.0\.1:8080 is answered by another process \(pid \d+, /usr/local/lib/xmrfleet/\w+/xmrig\); to end it: (kill \d+)`).FindStringSubmatch(o.stdout)
	if found == nil {
		t.Fatalf("the other miner is not named: %v", o)
	}
	f.sh("mini-1", found[1])
	f.plans("mini-1", []string{"~ restart service xmrig: its API did not answer after the last start"})
	f.apply()
	f.converged()
}

// TestFullDisk leaves too little room for the binary on one host and for the
// configuration on another.
func TestFullDisk(t *testing.T) {
	hosts := map[string]struct{ path, want string }{
		"mini-1": {"/usr/local", "binary xmrig: "},
		"mini-2": {"/etc/xmrig", "file /etc/xmrig/config.json: "},
		"mini-3": {},
	}
	var extra string
	for _, host := range []string{"mini-1", "mini-2", "mini-3"} {
		extra += "host \"" + host + "\" {}\n"
	}
	f := newFleet(t, extra, "mini-1", "mini-2", "mini-3")
	for host, full := range hosts {
		if full.path == "" {
			continue
		}
		if err := f.lab.Host(host).MountTmpfs(t.Context(), full.path, 256<<10); err != nil {
			t.Fatal(err)
		}
		f.sh(host, `mkdir -p /usr/local/bin; head -c 1M /dev/zero >"$1/ballast" 2>/dev/null; :`, full.path)
		if host == "mini-1" {
			f.sh(host, `truncate -s 100K /usr/local/ballast`)
		}
	}
	o := f.mustRun(exitPartial, "apply", "--yes")
	contains(t, o.stdout, "Apply: 1 of 3 hosts converged")
	for host, full := range hosts {
		if full.path == "" {
			continue
		}
		contains(t, o.stdout, "! "+host+"  ", full.want)
		if left := f.sh(host, `find "$1" ! -type d ! -name ballast; find "$1" -name "????????????????????????????????*"`, full.path); left != "" {
			t.Errorf("%s: a full disk leaves %q", host, left)
		}
	}
	if n := len(regexp.MustCompile(`No space left on device\n +write \S+: \d+ KiB are free on /(usr/local|etc/xmrig)\n`).FindAllString(o.stdout, -1)); n != 2 {
		t.Errorf("a full disk is not named for both hosts: %v", o)
	}
	for host, full := range hosts {
		if full.path != "" {
			f.sh(host, `umount "$1"`, full.path)
		}
	}
	f.apply()
	f.converged()
}

// TestExitCodes has one host for each way to fail, alone and with another that
// converges.
func TestExitCodes(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {\n  address = \"192.0.2.1\"\n}\nhost \"mini-2\" {}\n", "mini-2")
	for _, c := range []struct {
		code int
		args []string
	}{
		{exitError, []string{"apply", "--yes", "-l", "mini-1", "--connect-timeout", "5s"}},
		{exitPartial, []string{"plan", "--connect-timeout", "5s"}},
		{exitPartial, []string{"apply", "--yes", "--connect-timeout", "5s"}},
		{exitDone, []string{"plan", "--detailed-exitcode", "-l", "mini-2"}},
		{exitPartial, []string{"apply", "--yes", "--connect-timeout", "5s"}},
		{exitError, []string{"apply"}},
		{exitUsage, []string{"apply", "--yess"}},
	} {
		f.mustRun(c.code, c.args...)
	}
}
