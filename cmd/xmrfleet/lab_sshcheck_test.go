//go:build lab

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checks are hosts that ssh-check has to explain: each with what it has to say
// of them, in order.
var checks = []refusal{
	{"unknown-key", ``, ``, []string{"  ! unknown-key  verify host key of ", ":22: unknown key ssh-ed25519 SHA256:",
		"        host key              ssh-ed25519 SHA256:", "  (refused)\n", "      hint: compare it with ", "known_hosts:\n", "ssh-ed25519 AAAA"}},
	{"changed-key", ``, ``, []string{"  ! changed-key  verify host key of ", "known_hosts:2; someone may be in between",
		"  (refused)\n", "      hint: if the host was reinstalled: ssh-keygen -f "}},
	{"wrong-user", `ssh { user = "nobody" }`, ``, []string{"  ! wrong-user  log in as nobody@", "        User                  nobody  (fleet.hcl)\n",
		"  (known from ", "known_hosts:3)\n", "        key                   /run/xmrfleet-lab/", "  (refused)\n", "      hint: ssh-copy-id -p 22 nobody@"}},
	{"sudo-password", ``, `echo deploy:secret | chpasswd; echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/deploy`, []string{
		"  ! sudo-password  become root by sudo: sudo wants a password", "(logged in within ", "  (accepted)\n", "      hint: on the host, as root: echo 'deploy ALL=(ALL) NOPASSWD: ALL' > "}},
	{"black-hole", ``, ``, []string{"  ! black-hole  connect ", ":22: no answer within 5s", "(not logged in)\n", "      hint: is it on, and is port 22 open to this machine? nc -vz "}},
	{"no-login", ``, `usermod -s /usr/sbin/nologin deploy`, []string{
		"  ! no-login  start shell: This account is currently not available.", "      hint: on the host, as root: usermod -s /bin/sh deploy\n"}},
	{"jump", ``, ``, []string{"  = jump  root by sudo, which asks no password; a round trip takes ", "        User                  deploy  (ssh config)\n", "  (known from ", "  (accepted)\n"}},
	{"behind", `ssh { proxy_jump = "jump" }`, ``, []string{"  = behind  root by sudo", "      hop jump                deploy@", "(logged in within ", "  (known from ",
		"      host                    deploy@", "        ProxyJump             jump  (fleet.hcl)\n", "  (known from ", "  (accepted)\n"}},
	{"closed", `ssh {
		proxy_jump = "jump"
		port       = 23
	}`, ``, []string{"  ! closed  connect ", ":23: jump cannot reach it: Connection refused", "        Port                  23  (fleet.hcl)\n", "      hint: on the hop: nc -vz ", " 23\n"}},
}

func TestSSHCheck(t *testing.T) {
	var names []string
	var file strings.Builder
	for _, c := range checks {
		names = append(names, c.host)
		fmt.Fprintf(&file, "host %q {\n%s\n}\n", c.host, c.block)
	}
	f := newFleet(t, file.String(), names...)
	for _, c := range checks {
		f.sh(c.host, c.prepare)
		f.mark(c.host)
	}
	f.forget()
	if err := f.lab.Host("black-hole").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	o := f.mustRun(exitPartial, "ssh-check", "--connect-timeout", "5s")
	inOrder(t, o.stdout, "  = jump, behind  root by sudo, which asks no password; a round trip takes ", "  ! unknown-key  ", "  ! closed  ",
		"Check: 2 of 9 hosts can be managed.")
	detailed := f.mustRun(exitPartial, "ssh-check", "--connect-timeout", "5s", "-v").stdout
	for _, c := range checks {
		inOrder(t, blockOf(detailed, c.host), c.want...)
		if strings.HasPrefix(c.want[0], "  !") {
			inOrder(t, blockOf(o.stdout, c.host), c.want...)
		}
	}
	for _, c := range checks {
		f.untouched(c.host)
	}
	contains(t, f.mustRun(exitDone, "ssh-check", "-l", "behind").stdout, "\n      hop jump ")
	contains(t, f.mustRun(exitDone, "ssh-check", "-l", "jump", "--json").stdout, `"type":"ssh_check"`, `"ok":true`, `"root":"sudo"`, `"answer":"accepted"`)
	f.manyKeys("jump")
}

// blockOf is what is said of a host.
func blockOf(report, host string) string {
	for block := range strings.SplitSeq(report, "\n\n") {
		if words := strings.Fields(block); len(words) > 1 && words[1] == host {
			return block + "\n"
		}
	}
	return ""
}

// manyKeys offers a host more keys than it wants to see.
func (f *fleet) manyKeys(host string) {
	f.t.Helper()
	script := `set -eu
for i in 1 2 3 4 5 6 7; do
	ssh-keygen -q -t ed25519 -N '' -f "$1/wrong$i"
	echo "IdentityFile $1/wrong$i"
done >"$1/config"
cat "$2" >>"$1/config"`
	if out, err := exec.Command("sh", "-c", script, "sh", f.dir, f.lab.SSHConfig()).CombinedOutput(); err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
	o := f.mustRun(exitError, "ssh-check", "-l", host, "--ssh-config", filepath.Join(f.dir, "config"))
	inOrder(f.t, o.stdout, "  ! "+host+"  log in as deploy@", "too many keys were offered (",
		"wrong1  (refused)\n", "wrong6  (refused)\n", "wrong7  (not tried)\n", "  (not tried)\n", "      hint: in ~/.ssh/config, for Host "+host+": IdentitiesOnly yes")
}

// inOrder fails unless text has the parts one after the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Errorf("want %q, in its place, in:\n%s", part, text)
			return
		}
		rest = after
	}
}
