package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/hint"
)

func resolved(t *testing.T, config string, target Target) (*endpoint, error) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Dialer{SSHConfig: path}
	d.init()
	t.Cleanup(func() { d.Close() })
	return d.resolve(t.Context(), target)
}

func TestResolve(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSH_AUTH_SOCK", "/run/agent")
	t.Setenv("KEYS", "/keys")
	const config = `
Host mini-1
  HostName 10.0.0.7
  User deploy
  Port 2222
  ProxyJump bob@hop-a:22,hop-b
  HostKeyAlias the-mini
  IdentityFile ~/.ssh/%r-%h-%n-%p-%%
  IdentityFile ${KEYS}/id
  CertificateFile ~/cert.pub
  IdentitiesOnly yes
  IdentityAgent ~/agent.sock
  UserKnownHostsFile ~/known /dev/null
  GlobalKnownHostsFile none
  HostKeyAlgorithms ssh-ed25519
  AddressFamily inet
Match host 10.9.*
  User matched
  ProxyCommand nc %h %p
  IdentityAgent none
`
	describe := func(e *endpoint) string {
		s := fmt.Sprintf("%s@%s %s jump=%q command=%q alias=%q ids=%q certs=%q only=%v agent=%q known=%q algorithms=%q",
			e.user, e.address(), e.network, e.jump, e.proxyCommand, e.alias, e.identities, e.certificates, e.onlyThese, e.agentSocket, e.knownHosts[:1], e.algorithms)
		return strings.ReplaceAll(s, me.HomeDir+"/", "~/")
	}
	for _, test := range []struct {
		name   string
		target Target
		want   string
	}{
		{"configuration", Target{Name: "mini-1"},
			`deploy@10.0.0.7:2222 tcp4 jump="bob@hop-a:22,hop-b" command="" alias="the-mini" ids=["~/.ssh/deploy-10.0.0.7-mini-1-2222-%" "/keys/id"] certs=["~/cert.pub"] only=true agent="~/agent.sock" known=["~/known"] algorithms=["ssh-ed25519"]`},
		{"fleet wins", Target{Name: "mini-1", Address: "10.1.1.1", User: "root", Port: 22, IdentityFile: "~/own", ProxyJump: "none"},
			`root@10.1.1.1:22 tcp4 jump="" command="" alias="the-mini" ids=["~/own" "~/.ssh/root-10.1.1.1-mini-1-22-%" "/keys/id"] certs=["~/cert.pub"] only=true agent="~/agent.sock" known=["~/known"] algorithms=["ssh-ed25519"]`},
		{"match by the fleet's address", Target{Name: "other", Address: "10.9.1.1", IdentityFile: "/k"},
			`matched@10.9.1.1:22 tcp jump="" command="nc %h %p" alias="" ids=["/k"] certs=[] only=false agent="" known=["~/.ssh/known_hosts"] algorithms=-`},
		{"agent of the environment", Target{Name: "Plain", User: "u", IdentityFile: "/k"},
			`u@plain:22 tcp jump="" command="" alias="" ids=["/k"] certs=[] only=false agent="/run/agent" known=["~/.ssh/known_hosts"] algorithms=-`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := resolved(t, config, test.target)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(e)
			if strings.HasSuffix(test.want, "algorithms=-") {
				got, _, _ = strings.Cut(got, "algorithms=")
				got += "algorithms=-"
			}
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, test := range []struct{ name, config, want string }{
		{"h", "KnownHostsCommand /bin/cat", "resolve h: knownhostscommand /bin/cat: not supported, and leaving it out would weaken the check of host keys"},
		{"h", "RevokedHostKeys /etc/revoked", "resolve h: revokedhostkeys /etc/revoked: not supported, and leaving it out would weaken the check of host keys"},
		{"h", "IdentityFile %C", `resolve h: "%C": token %C is not supported`},
		{"-oProxyCommand=x", "", `resolve -oProxyCommand=x: "-oProxyCommand=x" is not a host name`},
		{"h", "Nonsense yes", "resolve h: CONFIG: line 1: Bad configuration option: nonsense; CONFIG: terminating, 1 bad configuration options"},
	} {
		_, err := resolved(t, test.config, Target{Name: test.name})
		if err == nil || hint.KindOf(err) != BadConfig {
			t.Errorf("%s: got %v", test.config, err)
			continue
		}
		got := err.Error()
		for _, word := range strings.Fields(got) {
			if strings.HasSuffix(word, "/config:") {
				got = strings.ReplaceAll(got, word, "CONFIG:")
			}
		}
		if got != test.want {
			t.Errorf("got %s\nwant %s", got, test.want)
		}
	}
}

func TestParseHop(t *testing.T) {
	for spec, want := range map[string]Target{
		"hop":                   {Name: "hop"},
		"bob@hop:22":            {Name: "hop", User: "bob", Port: 22},
		"a,b@c@d:1":             {Name: "d", User: "b@c", Port: 1, ProxyJump: "a"},
		"a,b,[::1]:2":           {Name: "::1", Port: 2, ProxyJump: "a,b"},
		"ssh://deploy@hop:2200": {Name: "hop", User: "deploy", Port: 2200},
		"fe80::1":               {Name: "fe80::1"},
		"user@[2001:db8::1]":    {Name: "2001:db8::1", User: "user"},
	} {
		got, err := parseHop(spec)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %+v, %v", spec, got, err)
		}
	}
	for _, spec := range []string{"", "a,", "h:x", "h:99999", "[::1"} {
		if got, err := parseHop(spec); hint.KindOf(err) != BadConfig {
			t.Errorf("%q: got %+v, %v", spec, got, err)
		}
	}
}

func TestResolveWithoutSSH(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("SSH_AUTH_SOCK", "")
	d := &Dialer{}
	said := warnings(d)
	d.init()
	defer d.Close()
	e, err := d.resolve(t.Context(), Target{Name: "h", Address: "10.0.0.1", User: "u", IdentityFile: "~/k", ProxyJump: "none"})
	if err != nil {
		t.Fatal(err)
	}
	me, _ := user.Current()
	if got, want := fmt.Sprint(e.user, " ", e.address(), " ", e.identities, e.jump), "u 10.0.0.1:22 ["+me.HomeDir+"/k]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	compare(t, said.String(), "level=WARN msg=\"no ssh program found: the ssh configuration is ignored, only fleet.hcl counts\"\n")
}

// A configuration that was asked for must not be ignored.
func TestResolveWithoutSSHButConfig(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for config, want := range map[string]string{
		"none":        "",
		"/etc/my_ssh": "resolve h: no ssh program found, which alone can read /etc/my_ssh; install the OpenSSH client",
	} {
		d := &Dialer{SSHConfig: config}
		said := warnings(d)
		d.init()
		defer d.Close()
		_, err := d.resolve(t.Context(), Target{Name: "h"})
		got := ""
		var e *Error
		if errors.As(err, &e) {
			got = e.Error() + "; " + e.Advice
		}
		if got += said.String(); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}

// A program that ssh runs for "Match exec" may take longer than its caller
// waits, and outlives ssh.
func TestResolveSlowly(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte("#!/bin/sh\nsleep 100\n:\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	d := &Dialer{SSHConfig: "none"}
	defer d.Close()
	begun := time.Now()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, fmt.Errorf("too slow: %w", context.DeadlineExceeded))
	defer cancel()
	_, _, err := d.Open(ctx, Target{Name: "h"}, OpenOptions{})
	if want := "resolve h: too slow: context deadline exceeded"; err == nil || err.Error() != want || hint.KindOf(err) != TimedOut {
		t.Errorf("got %s %v, want %s", hint.KindOf(err), err, want)
	}
	if took := time.Since(begun); took > 50*time.Second {
		t.Errorf("took %s: somebody waits for the program", took)
	}
}
