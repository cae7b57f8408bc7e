//go:build lab

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/executor/sshtest"
)

// masters are live OpenSSH masters of hosts, and the ssh configuration by
// which their connections are shared.
type masters struct {
	t      *testing.T
	config string
	cmds   map[string]*exec.Cmd
}

// share logs in to hosts as config says.
func (f *fleet) share(config string, hosts ...string) *masters {
	f.t.Helper()
	dir, err := os.MkdirTemp("", "") // a socket's path must be short
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { os.RemoveAll(dir) })
	text, err := os.ReadFile(config)
	if err != nil {
		f.t.Fatal(err)
	}
	m := &masters{t: f.t, config: filepath.Join(dir, "config"), cmds: map[string]*exec.Cmd{}}
	if err := os.WriteFile(m.config, []byte(fmt.Sprintf("ControlPath %s/%%C\n%s", dir, text)), 0o600); err != nil {
		f.t.Fatal(err)
	}
	for _, host := range hosts {
		cmd := exec.Command("ssh", "-F", m.config, "-M", "-N", host)
		if err := cmd.Start(); err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		m.cmds[host] = cmd
		labtest.Wait(f.t, func() bool { return m.command(host, "check") == nil }, func() string { return "no master of " + host })
	}
	return m
}

// command gives a master one of the commands of ssh -O.
func (m *masters) command(host, command string) error {
	return exec.Command("ssh", "-F", m.config, "-O", command, host).Run()
}

// alive fails unless all masters are.
func (m *masters) alive() {
	m.t.Helper()
	for host := range m.cmds {
		if err := m.command(host, "check"); err != nil {
			m.t.Errorf("the master of %s is gone", host)
		}
	}
}

// logins is how often somebody logged in to a host.
func (f *fleet) logins(host string) string {
	return strings.TrimSpace(f.sh(host, `journalctl -q -t sshd -o cat | grep -c '^Accepted publickey'`))
}

// TestControlSockets works over the connections that the user has anyway, and
// leaves them as they are.
func TestControlSockets(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	m := f.share(f.lab.SSHConfig(), "mini-1", "mini-2")
	f.env["XMRFLEET_SSH_CONFIG"] = m.config
	before := f.logins("mini-1")

	first := f.startOnTerminal("apply")
	first.expect("[y/N] ")
	contains(t, f.mustRun(exitLocked, "apply", "--yes", "-l", "mini-1").stdout, "held by ")
	first.answer("y\r")
	first.wait(exitDone)
	f.sh("mini-1", lockIsFree)
	f.converged()
	f.eventuallyHealthy()
	contains(t, f.mustRun(exitDone, "exec", "--", "id -un").stdout, "deploy")
	contains(t, f.mustRun(exitDone, "ssh-check", "-v").stdout, "over a control socket", "(a live master, so no login of our own)")

	killed := f.startOnTerminal("exec", "-l", "mini-1", "--", "sleep 4711")
	f.until("mini-1", `pgrep -f '^sleep 4711'`)
	killed.signal(syscall.SIGKILL)
	killed.wait(-1)
	f.until("mini-1", `! pgrep -f '^sleep 4711'`)
	m.alive()
	if after := f.logins("mini-1"); after != before {
		t.Errorf("%s logins after the masters', %s before", after, before)
	}

	if err := m.command("mini-1", "exit"); err != nil {
		t.Fatal(err)
	}
	m.cmds["mini-2"].Process.Signal(syscall.SIGSTOP)
	o := f.mustRun(exitDone, "status", "-v", "--connect-timeout", "5s")
	contains(t, o.stderr, "mini-1: the control socket is not used", "cause no such file or directory",
		"mini-2: the control socket is not used", "cause no answer within 5s", "mini-2: logged in")
	m.cmds["mini-2"].Process.Signal(syscall.SIGCONT)
	if err := m.command("mini-2", "check"); err != nil {
		t.Error("the master that was stopped is gone")
	}
	contains(t, f.mustRun(exitDone, "status", "-v").stderr, "mini-2: over the control socket")
}

// TestStatusOverControlSocketBudget counts what a status costs on the network
// where the host's master is there.
func TestStatusOverControlSocketBudget(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()
	f.eventuallyHealthy()
	proxy := sshtest.Count(t, net.JoinHostPort(f.lab.Host("mini-1").Address(), "22"))
	m := f.share(f.through(proxy.Addr()), "mini-1")
	trips := f.trips(proxy, "status", "--ssh-config", m.config)
	t.Logf("status: %d round trips", trips)
	if trips > 3 {
		t.Errorf("a status takes %d round trips, more than 3", trips)
	}
	m.alive()
}

// eventuallyHealthy returns when the miners do what they are to do.
func (f *fleet) eventuallyHealthy() {
	f.t.Helper()
	var o outcome
	labtest.Wait(f.t, func() bool { o = f.run("status"); return o.code == exitDone }, func() string { return o.String() })
}
