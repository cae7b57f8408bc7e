package executor

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// failure opens a shell that cannot be had.
func failure(t *testing.T, d *Dialer, target Target) *Error {
	t.Helper()
	s, _, err := d.Open(t.Context(), target, OpenOptions{})
	if err == nil {
		s.Close()
		t.Fatal("no error")
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v has type %T", err, err)
	}
	return e
}

// check compares an error where A stands for the server's address.
func check(t *testing.T, e *Error, server *sshtest.Server, reason Reason, text, hint string) {
	t.Helper()
	plain := func(s string) string {
		host, port, _ := net.SplitHostPort(server.Addr())
		s = strings.ReplaceAll(s, "["+host+"]:"+port, "A")
		s = strings.ReplaceAll(s, server.Addr(), "A")
		s = strings.ReplaceAll(s, ssh.FingerprintSHA256(server.HostKey.PublicKey()), "SHA256:F")
		s = strings.ReplaceAll(s, server.HostKeyLine(), "KEY")
		return strings.ReplaceAll(s, server.IdentityFile(), "ID")
	}
	if e.Reason != reason || plain(e.Error()) != text || plain(e.Advice) != hint {
		t.Errorf("got  %s: %s\nhint %s\nwant %s: %s\nhint %s", e.Reason, plain(e.Error()), plain(e.Advice), reason, text, hint)
	}
}

// edited is a dialer whose configuration and known_hosts file are edited.
func edited(t *testing.T, server *sshtest.Server, edit func(config, known string) (string, string)) (*Dialer, string) {
	t.Helper()
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	knownFile := filepath.Join(filepath.Dir(d.SSHConfig), "known_hosts")
	config, known := edit(read(t, d.SSHConfig), read(t, knownFile))
	os.WriteFile(d.SSHConfig, []byte(config), 0o600)
	os.WriteFile(knownFile, []byte(known), 0o600)
	return d, knownFile
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The words of the kinds are part of the JSON lines.
func TestKinds(t *testing.T) {
	for word, reasons := range map[Kind][]Reason{
		"config":           {BadConfig},
		"host key unknown": {HostKeyUnknown},
		"host key changed": {HostKeyChanged, HostKeyRevoked},
		"authentication":   {AuthRefused},
		"unreachable":      {Unreachable, ConnectionRefused, NoAnswer, NoRoute, Busy, Penalized, HopForbids, HopCannotReach},
		"shell":            {NoShell, LoginDisabled},
		"sudo":             {SudoRefused},
		"locked":           {Locked},
		"timeout":          {TimedOut},
		"lost":             {Lost},
		"canceled":         {Canceled},
	} {
		for _, reason := range reasons {
			err := fmt.Errorf("h: %w", &Error{Reason: reason, Op: "try", Err: errors.New("in vain")})
			if got := hint.KindOf(err); got != word {
				t.Errorf("%s is of kind %q, want %q", reason, got, word)
			}
		}
	}
}

func TestHostKeys(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	other, _ := sshtest.NewKey(t)
	wrong := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(other.PublicKey())))
	host, port, _ := net.SplitHostPort(server.Addr())
	name := fmt.Sprintf("[%s]:%s", host, port)
	t.Run("unknown", func(t *testing.T) {
		d, file := edited(t, server, func(c, k string) (string, string) { return c, "" })
		check(t, failure(t, d, Target{Name: "h"}), server, HostKeyUnknown,
			"verify host key of A: unknown key ssh-ed25519 SHA256:F",
			`compare it with "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the host, then add to `+file+`:
A KEY
or to its host block in fleet.hcl:
host_key = "KEY"`)
	})
	t.Run("changed", func(t *testing.T) {
		d, file := edited(t, server, func(c, k string) (string, string) { return c, "# mine\n" + name + " " + wrong + "\n" })
		check(t, failure(t, d, Target{Name: "h"}), server, HostKeyChanged,
			"verify host key of A: ssh-ed25519 SHA256:F is not the key in "+file+":2; someone may be in between",
			"if the host was reinstalled: ssh-keygen -f "+file+" -R 'A'")
	})
	t.Run("known by another algorithm", func(t *testing.T) {
		d, file := edited(t, server, func(c, k string) (string, string) {
			return c, name + " ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=\n"
		})
		check(t, failure(t, d, Target{Name: "h"}), server, HostKeyChanged,
			"verify host key of A: what it offers now is not the key in "+file+":1; someone may be in between",
			"if the host was reinstalled: ssh-keygen -f "+file+" -R 'A'")
	})
	t.Run("revoked", func(t *testing.T) {
		d, file := edited(t, server, func(c, k string) (string, string) { return c, k + "@revoked * " + server.HostKeyLine() + "\n" })
		check(t, failure(t, d, Target{Name: "h"}), server, HostKeyRevoked,
			"verify host key of A: ssh-ed25519 SHA256:F is revoked by "+file+":2", "")
	})
	t.Run("pinned wrong", func(t *testing.T) {
		d := dialer(t, map[string]*sshtest.Server{"h": server})
		check(t, failure(t, d, Target{Name: "h", HostKeys: []string{wrong}}), server, HostKeyChanged,
			"verify host key of A: ssh-ed25519 SHA256:F is not the host_key of fleet.hcl; someone may be in between",
			"if the host was reinstalled, replace host_key in fleet.hcl")
	})
	accepted := func(name string, target Target, edit func(config, known string) (string, string)) {
		t.Run(name, func(t *testing.T) {
			d, _ := edited(t, server, edit)
			target.Name = "h"
			s, _, err := d.Open(t.Context(), target, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		})
	}
	accepted("pinned", Target{HostKeys: []string{wrong, server.HostKeyLine() + " comment"}}, func(c, k string) (string, string) { return c, "" })
	accepted("unreadable lines", Target{}, func(c, k string) (string, string) {
		return c, "garbage\nold 1024 35 1234567\nh ssh-xmss@openssh.com AAAA\n[bad ssh-ed25519 AAAA\n|1|x|y ssh-rsa AAAA\n! " + server.HostKeyLine() + "\n@what h " + server.HostKeyLine() + "\n" + k
	})
	accepted("alias", Target{}, func(c, k string) (string, string) {
		return "HostKeyAlias the-alias\n" + c, "the-alias " + server.HostKeyLine() + "\n"
	})
	accepted("never checked in ssh", Target{}, func(c, k string) (string, string) { return "StrictHostKeyChecking no\n" + c, k })
}

func TestHostCertificate(t *testing.T) {
	t.Parallel()
	authority, _ := sshtest.NewKey(t)
	key, _ := sshtest.NewKey(t)
	cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(strings.NewReader(strings.Repeat("r", 100)), authority); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := sshtest.Start(t, &sshtest.Server{HostKey: signer})
	line := "@cert-authority * " + string(ssh.MarshalAuthorizedKey(authority.PublicKey()))
	d, _ := edited(t, server, func(c, k string) (string, string) { return c, line })
	open(t, d, "h", OpenOptions{})

	plain := sshtest.Start(t, nil)
	d, _ = edited(t, plain, func(c, k string) (string, string) { return c, line })
	if e := failure(t, d, Target{Name: "h"}); e.Reason != HostKeyUnknown {
		t.Errorf("a host without certificate: %s: %s", e.Reason, e)
	}
	d, _ = edited(t, plain, func(c, k string) (string, string) { return c, line + k })
	open(t, d, "h", OpenOptions{})
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	dir := t.TempDir()
	_, wrong := sshtest.NewKey(t)
	os.WriteFile(filepath.Join(dir, "wrong"), wrong, 0o600)
	drop := func(c, k string) (string, string) {
		return strings.ReplaceAll(c, "IdentityFile "+server.IdentityFile(), "IdentityFile "+dir+"/none"), k
	}
	t.Run("no key", func(t *testing.T) {
		d, _ := edited(t, server, drop)
		check(t, failure(t, d, Target{Name: "h"}), server, AuthRefused, "log in as tester@A: there is no key to offer",
			"add one to the agent (ssh-add FILE), or name one: IdentityFile in the ssh configuration, identity_file in fleet.hcl")
	})
	t.Run("wrong key", func(t *testing.T) {
		d, _ := edited(t, server, drop)
		_, port, _ := net.SplitHostPort(server.Addr())
		check(t, failure(t, d, Target{Name: "h", IdentityFile: dir + "/wrong"}), server, AuthRefused,
			"log in as tester@A: no key was accepted (offered: "+dir+"/wrong)", "ssh-copy-id -p "+port+" tester@127.0.0.1")
	})
	t.Run("passphrase", func(t *testing.T) {
		raw, err := ssh.ParseRawPrivateKey([]byte(read(t, server.IdentityFile())))
		if err != nil {
			t.Fatal(err)
		}
		locked := filepath.Join(dir, "locked")
		encrypt(t, raw, locked)
		d, _ := edited(t, server, drop)
		check(t, failure(t, d, Target{Name: "h", IdentityFile: locked}), server, AuthRefused,
			"log in as tester@A: there is no key to offer without a passphrase", "ssh-add "+locked)

		keys := agent.NewKeyring()
		keys.Add(agent.AddedKey{PrivateKey: raw, Comment: "tester's"})
		d, _ = edited(t, server, func(c, k string) (string, string) {
			c, k = drop(c, k)
			return "IdentityAgent " + serveSSHAgent(t, keys) + "\n" + c, k
		})
		s, _, err := d.Open(t.Context(), Target{Name: "h", IdentityFile: locked}, OpenOptions{})
		if err != nil {
			t.Fatalf("with the key in the agent: %v", err)
		}
		s.Close()
		// IdentitiesOnly is set: the agent's key counts only where a file names it.
		if e := failure(t, d, Target{Name: "h"}); e.Reason != AuthRefused {
			t.Errorf("IdentitiesOnly: %v", e)
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	t.Run("refused", func(t *testing.T) {
		check(t, failure(t, d, Target{Name: "h", Port: 1}), server, ConnectionRefused, "connect 127.0.0.1:1: connection refused", "")
	})
	t.Run("silent", func(t *testing.T) {
		mute := sshtest.Start(t, &sshtest.Server{Mute: true})
		hasty := another(t, d)
		hasty.ConnectTimeout = 700 * time.Millisecond
		check(t, failure(t, hasty, at(mute.Addr(), mute)), mute, NoAnswer, "connect A: no answer within 700ms", "")
	})
	t.Run("no such name", func(t *testing.T) {
		e := failure(t, d, Target{Name: "h", Address: "nowhere.invalid"})
		if e.Reason != Unreachable || !strings.HasPrefix(e.Err.Error(), "nowhere.invalid") {
			t.Errorf("%s: %s", e.Reason, e)
		}
	})
	t.Run("busy", func(t *testing.T) {
		busy := sshtest.Start(t, &sshtest.Server{Refuse: 2, Greeting: "Exceeded MaxStartups\r\n"})
		open(t, dialer(t, map[string]*sshtest.Server{"h": busy}), "h", OpenOptions{})
		busy = sshtest.Start(t, &sshtest.Server{Refuse: 9})
		check(t, failure(t, d, at(busy.Addr(), busy)), busy, Busy,
			"connect A: sshd closed the connection before it spoke (MaxStartups, or a penalty after failed logins)", "")
	})
	t.Run("penalty", func(t *testing.T) {
		angry := sshtest.Start(t, &sshtest.Server{Refuse: 1, Greeting: "Not allowed at this time\r\n"})
		check(t, failure(t, d, at(angry.Addr(), angry)), angry, Penalized,
			"connect A: sshd refuses this address for a while, after failed logins (PerSourcePenalties)", "wait some minutes, and mend the login first")
	})
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		mute := sshtest.Start(t, &sshtest.Server{Mute: true})
		proxy := sshtest.Forward(t, mute.Addr())
		proxy.Hold()
		go func() {
			eventually(t, "the client speaks", func() bool { return proxy.Pending() > 0 })
			cancel()
		}()
		_, _, err := d.Open(ctx, at(proxy.Addr(), mute), OpenOptions{})
		if hint.KindOf(err) != Canceled {
			t.Errorf("got %v", err)
		}
	})
}

func TestShellThatDoesNotStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, rc string
		reason   Reason
		want     string
	}{
		{"nologin", `echo This account is currently not available.; exit 1`, LoginDisabled, "start shell: This account is currently not available."},
		{"silent", `exit 0`, NoShell, "start shell: the host closed the connection"},
		{"slow", `cat`, NoShell, "start shell: no answer from the login shell within 1s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, &sshtest.Server{Rc: test.rc})
			d := dialer(t, map[string]*sshtest.Server{"h": server})
			if test.name == "slow" {
				d.timing.start = time.Second
			}
			check(t, failure(t, d, Target{Name: "h"}), server, test.reason, test.want, "")
		})
	}
}

func TestSudo(t *testing.T) {
	t.Parallel()
	const rule = "on the host, as root: echo 'tester ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/xmrfleet && chmod 0440 /etc/sudoers.d/xmrfleet"
	for _, test := range []struct{ name, sudo, text, hint string }{
		{"allowed", `echo lecture >&2; echo lecture; [ "$1" = -n ] && shift && exec "$@"`, "", ""},
		{"password", `echo 'sudo: a password is required' >&2; exit 1`, "sudo wants a password", rule},
		{"not in sudoers", `echo 'tester is not in the sudoers file.' >&2; exit 1`, "tester is not in the sudoers file.", rule},
		{"tty", `echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1`, "sudo: sorry, you must have a tty to run sudo",
			"on the host, in the sudoers file: Defaults:tester !requiretty"},
		{"silent", `exit 7`, "ended with status 7", ""},
		{"missing", "", "there is no sudo on the host", "install sudo, or log in as root"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, &sshtest.Server{UID: 65534})
			d := dialer(t, map[string]*sshtest.Server{"h": server})
			bin := t.TempDir()
			os.Chmod(bin, 0o755)
			os.Chmod(filepath.Dir(bin), 0o755)
			d.path = bin + ":/usr/bin:/bin"
			if test.sudo != "" {
				os.WriteFile(filepath.Join(bin, "sudo"), []byte("#!/bin/sh\n"+test.sudo+"\n"), 0o755)
			} else if _, err := os.Stat("/usr/bin/sudo"); err == nil {
				t.Skip("this machine has sudo")
			}
			if test.text == "" {
				s, _ := open(t, d, "h", OpenOptions{})
				if got := text(run(t, s, sh(`id -u`))); got != "0 \"65534\\n\" \"\"\n" {
					t.Errorf("got %s", got)
				}
				return
			}
			// If something waited for more input, the shell would give no answer.
			check(t, failure(t, d, Target{Name: "h"}), server, SudoRefused, "become root by sudo: "+test.text, test.hint)
		})
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		cause error
		kind  Kind
		text  string
	}{
		{"deadline", context.DeadlineExceeded, TimedOut, "run command: context deadline exceeded; the host finishes what it has begun"},
		{"cancel", context.Canceled, Canceled, "run command: context canceled"},
	} {
		eachWay(t, test.name, func(t *testing.T, reach way) {
			t.Parallel()
			s := host(t, reach)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			got, err := s.Run(ctx, func(int, modules.Result) { cancel(test.cause) },
				sh(`echo one`), sh(`while [ -e "$1" ]; do sleep 0.1; done`, t.TempDir()), sh(`:`))
			if err == nil || hint.KindOf(err) != test.kind || err.Error() != test.text {
				t.Errorf("got %v, want %s", err, test.text)
			}
			if want := "0 \"one\\n\" \"\"\n-2 \"\" \"\"\n-2 \"\" \"\"\n"; text(got) != want {
				t.Errorf("got:\n%swant:\n%s", text(got), want)
			}
			if _, err := s.Run(t.Context(), nil, sh(`:`)); hint.KindOf(err) == "" {
				t.Errorf("a shell that has ended: %v", err)
			}
		})
	}
}

func TestSilentLinkIsNoticed(t *testing.T) { eachWay(t, "by", testSilentLink) }

func testSilentLink(t *testing.T, reach way) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	proxy := sshtest.Forward(t, server.Addr())
	d, target := reach(t, server, proxy)
	d.timing.keepalive, d.timing.silence = 100*time.Millisecond, 5*time.Second
	s, _, err := d.Open(t.Context(), target, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A quiet command is no silence: the host answers.
	if _, err := s.Run(t.Context(), nil, sh(`sleep 6`)); err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(t.Context(), func(int, modules.Result) { proxy.Cut() }, sh(`:`), sh(`while [ -e "$1" ]; do sleep 0.1; done`, t.TempDir()))
	if want := "run command: no sign of life for 5s"; err == nil || err.Error() != want || hint.KindOf(err) != Lost {
		t.Errorf("got %v, want %s", err, want)
	}
}

func encrypt(t *testing.T, key any, path string) {
	t.Helper()
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serveSSHAgent(t *testing.T, keys agent.Agent) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keys, c)
		}
	}()
	return socket
}
