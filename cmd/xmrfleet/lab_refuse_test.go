//go:build lab

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A refusal is a host that cannot be worked with.
type refusal struct {
	host    string // also the name of the case
	block   string // of its host block
	prepare string // runs on the host
	want    []string
}

var refusals = []refusal{
	{"unknown-key", ``, ``, []string{
		"verify host key of ", ":22: unknown key ssh-ed25519 SHA256:",
		`hint: compare it with "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the host, then add to `,
		"host_key = \"ssh-ed25519 AAAA"}},
	{"changed-key", ``, ``, []string{
		"verify host key of ", "known_hosts:2; someone may be in between",
		"hint: if the host was reinstalled: ssh-keygen -f "}},
	{"pinned-key", `ssh { host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEl8b7SN1wdlmPVsw7hFR9a4kD2Zq/tG3YyqVWy6wI1z" }`, ``, []string{
		"is not the host_key of fleet.hcl", "hint: if the host was reinstalled, replace host_key in fleet.hcl"}},
	{"refused", `ssh { port = 23 }`, ``, []string{":23: connection refused"}},
	{"nobody", `address = "NOBODY"`, ``, []string{"connect NOBODY:22: no route to host"}},
	{"black-hole", ``, ``, []string{":22: no answer within 5s"}},
	{"no-such-name", `address = "no-such-name.invalid"`, ``, []string{
		"connect no-such-name.invalid:22: no-such-name.invalid", ": no such host",
		"hint: give the host an address in fleet.hcl, or a HostName in the ssh configuration"}},
	{"wrong-user", `ssh { user = "nobody" }`, ``, []string{
		"log in as nobody@", "no key was accepted (offered: /run/xmrfleet-lab/", "hint: ssh-copy-id -p 22 nobody@"}},
	{"wrong-key", ``, `rm ~deploy/.ssh/authorized_keys`, []string{
		"log in as deploy@", "no key was accepted (offered: ", "hint: ssh-copy-id -p 22 deploy@"}},
	{"no-login", ``, `usermod -s /usr/sbin/nologin deploy`, []string{
		"start shell: This account is currently not available."}},
	{"sudo-password", ``, `echo deploy:secret | chpasswd; echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/deploy`, []string{
		"become root by sudo: sudo wants a password",
		"hint: on the host, as root: echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/xmrfleet && chmod 0440 /etc/sudoers.d/xmrfleet"}},
	{"no-sudoer", ``, `rm /etc/sudoers.d/deploy`, []string{
		"become root by sudo: ", "hint: on the host, as root: echo 'deploy ALL=(ALL) NOPASSWD: ALL'"}},
	{"no-sudo", ``, `mv /usr/bin/sudo /usr/bin/sudon`, []string{
		"become root by sudo: there is no sudo on the host", "hint: install sudo, or log in as root"}},
	{"requiretty", ``, `echo 'Defaults requiretty' >>/etc/sudoers.d/deploy`, []string{
		"become root by sudo: sudo: sorry, you must have a tty to run sudo", "hint: on the host, in the sudoers file: Defaults:deploy !requiretty"}},
	{"no-systemd", ``, `mv /run/systemd/system /run/systemd/elsewhere`, []string{
		"PID 1 is not systemd; xmrfleet manages Linux hosts with systemd 245 or later"}},
}

// TestRefusals tries all hosts at once: each has its own error, no error is
// another's, and nothing is changed anywhere.
func TestRefusals(t *testing.T) {
	var names []string
	var file strings.Builder
	for _, r := range refusals {
		names = append(names, r.host)
		fmt.Fprintf(&file, "host %q {\n%s\n}\n", r.host, r.block)
	}
	f := newFleet(t, file.String(), names...)
	nobody := strings.TrimSuffix(f.lab.Gateway(), ".1") + ".250"
	f.write(strings.ReplaceAll(preamble+file.String(), "NOBODY", nobody))
	for _, r := range refusals {
		f.sh(r.host, r.prepare)
		f.mark(r.host)
	}
	f.forget()
	if err := f.lab.Host("black-hole").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	outcomes := []outcome{
		f.mustRun(exitError, "plan", "--connect-timeout", "5s"),
		f.mustRun(exitError, "apply", "--yes", "--connect-timeout", "5s")}
	for _, r := range refusals {
		for _, o := range outcomes {
			for _, want := range r.want {
				contains(t, section(o.stdout, r.host), strings.ReplaceAll(want, "NOBODY", nobody))
			}
		}
		f.untouched(r.host)
	}
	contains(t, outcomes[0].stdout, "Plan: none of 15 hosts was read.")
	contains(t, f.mustRun(exitPartial, "status", "-l", "sudo-password,refused").stdout,
		"unknown", "sudo wants a password", "connection refused", "\nhint: sudo-password: on the host, as root: ")

	// It is not waited for, as a password would be.
	f.start("plan", "-l", "sudo-password", "--timeout", "24h").wait(exitError)
}

// section is what an output says of one host.
func section(text, host string) string {
	for _, part := range strings.Split("\n"+text, "\n  ! ") {
		names, rest, _ := strings.Cut(part, "  ")
		if slices.Contains(strings.Split(names, ", "), host) {
			return rest
		}
	}
	return ""
}

// forget takes one host out of known_hosts and gives another the wrong key.
func (f *fleet) forget() {
	f.t.Helper()
	path := filepath.Join(f.lab.Dir(), "known_hosts")
	text, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	name, key, _ := strings.Cut(lines[0], " ")
	changed, _, _ := strings.Cut(lines[1], " ")
	if !strings.HasPrefix(name, "unknown-key,") || !strings.HasPrefix(changed, "changed-key,") {
		f.t.Fatalf("known_hosts begins with %q, %q", name, changed)
	}
	lines[0], lines[1] = "# "+name, changed+" "+key
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// mark begins the time in which untouched looks for changes.
func (f *fleet) mark(host string) { f.sh(host, `touch /run/mark; sleep 0.02`) }

// untouched fails if a file on the host's disk was made, written, or changed
// in any other way since the mark, but for logs and what logins leave.
func (f *fleet) untouched(host string) {
	f.t.Helper()
	moved := f.sh(host, `find / -xdev \( -path /run -o -path /proc -o -path /var/log -o -path /var/lib/sudo -o -path /var/lib/systemd -o -path /var/tmp -o -path /tmp \) -prune \
		-o -cnewer /run/mark -print; ls -d /etc/xmrig /usr/local/bin/* 2>/dev/null; :`)
	if moved != "" {
		f.t.Errorf("%s was changed:\n%s", host, moved)
	}
}

// TestOddLogins is about hosts that are unusual and fine.
func TestOddLogins(t *testing.T) {
	logins := []refusal{
		{"banner", ``, `echo 'echo Welcome; echo to this host >&2; printf "no end of line"' >~deploy/.bashrc`, nil},
		{"use-pty", ``, `echo 'Defaults use_pty' >>/etc/sudoers.d/deploy`, nil},
		{"dash", ``, `usermod -s /bin/dash deploy`, nil},
		{"as-root", `ssh { user = "root" }`, `mv /usr/bin/sudo /usr/bin/sudon`, nil},
		{"environment", ``, `printf '%s\n' 'set -u' 'export LC_ALL=de_DE.UTF-8 CDPATH=/etc ENV=/etc/passwd' 'cd /tmp' >~deploy/.bashrc`, nil},
	}
	var names []string
	var file strings.Builder
	for _, l := range logins {
		names = append(names, l.host)
		fmt.Fprintf(&file, "host %q {\n%s\n}\n", l.host, l.block)
	}
	f := newFleet(t, file.String(), names...)
	for _, l := range logins {
		f.sh(l.host, l.prepare)
	}
	contains(t, f.apply().stdout, "Apply: 5 of 5 hosts converged")
	f.converged()
}

// TestManyAgentKeys offers a host more keys than it wants to see.
func TestManyAgentKeys(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	socket := filepath.Join(t.TempDir(), "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	f.env["SSH_AUTH_SOCK"] = socket
	local := `set -eu
for i in 1 2 3 4 5 6 7; do ssh-keygen -q -t ed25519 -N '' -C "key $i" -f "$1/key$i"; done
until [ -S "$SSH_AUTH_SOCK" ]; do sleep 0.01; done
ssh-add -q "$1"/key?
grep -v -e IdentitiesOnly -e IdentityFile "$2" >"$1/config"`
	keys := exec.Command("sh", "-c", local, "sh", f.dir, f.lab.SSHConfig())
	keys.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	if out, err := keys.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.mark("mini-1")
	o := f.mustRun(exitError, "plan", "--ssh-config", filepath.Join(f.dir, "config"))
	contains(t, o.stdout, "too many keys were offered (agent: key 1, agent: key 2,",
		"hint: in ~/.ssh/config, for Host mini-1: IdentitiesOnly yes, and the IdentityFile that is right")
	f.untouched("mini-1")
}

// TestDeadHost has one host that answers nothing among four.
func TestDeadHost(t *testing.T) {
	f := newFleet(t, "", exampleHosts...)
	if err := f.lab.Host("miner-beta").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.waitsOnlyFor("miner-beta")
	o := f.mustRun(exitPartial, "plan", "--connect-timeout", "5s")
	contains(t, o.stdout, "  ~ mini-1, miner-gamma, miner-delta", "  ! miner-beta  connect ", ":22: no answer within 5s",
		"Plan: 3 of 4 hosts to change", "1 host was not read.")
	o = f.mustRun(exitPartial, "apply", "--yes", "--connect-timeout", "5s")
	contains(t, o.stdout, "Apply: 3 of 4 hosts converged", "  ! miner-beta  untouched: connect ",
		"retry: xmrfleet apply --yes --connect-timeout 5s", " -l miner-beta\n")
	contains(t, f.mustRun(exitPartial, "status", "--connect-timeout", "5s").stdout, "\nmini-1", "\nminer-delta", "no answer within 5s")
	if err := f.lab.Host("miner-beta").Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	contains(t, f.apply().stdout, "Apply: 4 of 4 hosts converged")
}
