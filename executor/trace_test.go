package executor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules/hint"
)

// told is a trace as text, in which names stand for what differs from run to
// run.
func told(trace *Trace, names ...string) string {
	var b strings.Builder
	for _, hop := range trace.Hops {
		fmt.Fprintf(&b, "%s %s@%s\n", hop.Name, hop.User, hop.Address)
		for _, s := range hop.Settings {
			fmt.Fprintf(&b, "  %s %s (%s)\n", s.Keyword, s.Value, s.Origin)
		}
		if hop.ControlSocket != "" {
			fmt.Fprintf(&b, "  control socket %s %s\n", hop.ControlSocket, hop.ControlUnused)
		}
		fmt.Fprintf(&b, "  host key %q from %q\n", hop.HostKey, hop.KnownFrom)
		for _, k := range hop.Keys {
			fmt.Fprintf(&b, "  key %s: %s\n", k.From, k.Answer)
		}
		for _, u := range hop.Unusable {
			fmt.Fprintf(&b, "  unusable %s\n", u)
		}
		fmt.Fprintf(&b, "  logged in: %t\n", hop.Took > 0)
	}
	fmt.Fprintf(&b, "root %q, measured: %t, error: %v\n", trace.Root, trace.RoundTrip > 0, trace.Err)
	return strings.NewReplacer(names...).Replace(b.String())
}

// naming gives the names for what a server is told by.
func naming(name string, s *sshtest.Server) []string {
	_, port, _ := net.SplitHostPort(s.Addr())
	return []string{
		s.Addr(), name + ":PORT", port, "PORT", s.IdentityFile(), "ID-" + name,
		ssh.FingerprintSHA256(s.HostKey.PublicKey()), "SHA256:" + name,
	}
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	dir := t.TempDir()
	_, other := sshtest.NewKey(t)
	wrong := filepath.Join(dir, "wrong")
	os.WriteFile(wrong, other, 0o600)
	broken := filepath.Join(dir, "broken")
	os.WriteFile(broken, []byte("no key\n"), 0o600)
	d, known := edited(t, server, func(c, k string) (string, string) {
		return "Host *\n  IdentityFile " + wrong + "\n  IdentityFile " + broken + "\n" + c + "  ServerAliveInterval 3\n", "# comment\n" + k
	})
	names := append(naming("A", server), known, "KNOWN", dir, "DIR")
	compare(t, told(d.Trace(t.Context(), Target{Name: "h", User: "maia"}), names...), `h maia@A:PORT
  HostName 127.0.0.1 (ssh config)
  Port PORT (ssh config)
  User maia (fleet.hcl)
  IdentityFile DIR/wrong, DIR/broken, ID-A (ssh config)
  IdentitiesOnly yes (ssh config)
  IdentityAgent none (ssh config)
  UserKnownHostsFile KNOWN (ssh config)
  GlobalKnownHostsFile none (ssh config)
  host key "ssh-ed25519 SHA256:A" from "KNOWN:2"
  key DIR/wrong: refused
  key ID-A: accepted
  unusable DIR/broken: ssh: no key found
  logged in: true
root "login", measured: true, error: <nil>
`)
	trace := d.Trace(t.Context(), Target{Name: "h", HostKeys: []string{server.HostKeyLine()}})
	if got := trace.Hops[0].KnownFrom; got != "host_key in fleet.hcl" {
		t.Errorf("a pinned key is known from %q", got)
	}
	if trace.Resolver == "" {
		t.Error("the ssh program is not named")
	}
}

func TestTraceNamesDefaults(t *testing.T) {
	t.Parallel()
	d := &Dialer{SSHConfig: "none", ConnectTimeout: minutes}
	t.Cleanup(func() { d.Close() })
	trace := d.Trace(t.Context(), Target{Name: "127.0.0.1", User: "maia", Port: 1})
	compare(t, told(trace, "\n  IdentityFile", "\nIdentityFile"), `127.0.0.1 maia@127.0.0.1:1
  HostName 127.0.0.1 (default)
  Port 1 (fleet.hcl)
  User maia (fleet.hcl)
  host key "" from ""
  logged in: false
root "", measured: false, error: connect 127.0.0.1:1: connection refused
`)
}

func TestTraceOverControlSocket(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	m := startMaster(t, d.SSHConfig, "%C", nil)
	known := filepath.Join(filepath.Dir(d.SSHConfig), "known_hosts")
	names := append(naming("A", server), known, "KNOWN", m.socket, "SOCKET")
	const settings = `h tester@A:PORT
  HostName 127.0.0.1 (ssh config)
  Port PORT (ssh config)
  User tester (ssh config)
  IdentityFile ID-A (ssh config)
  IdentitiesOnly yes (ssh config)
  IdentityAgent none (ssh config)
  UserKnownHostsFile KNOWN (ssh config)
  GlobalKnownHostsFile none (ssh config)
`
	compare(t, told(d.Trace(t.Context(), Target{Name: "h"}), names...), settings+`  control socket SOCKET `+`
  host key "" from ""
  logged in: true
root "login", measured: true, error: <nil>
`)
	if !m.alive() {
		t.Error("the master is gone")
	}
	m.cmd.Process.Kill()
	m.cmd.Wait()
	compare(t, told(d.Trace(t.Context(), Target{Name: "h"}), names...), settings+`  control socket SOCKET connection refused
  host key "ssh-ed25519 SHA256:A" from "KNOWN:1"
  key ID-A: accepted
  logged in: true
root "login", measured: true, error: <nil>
`)
}

func TestTraceThroughHops(t *testing.T) {
	t.Parallel()
	server, hop := sshtest.Start(t, nil), sshtest.Start(t, nil)
	hosts := map[string]*sshtest.Server{"h": server, "hop": hop}
	d := dialer(t, hosts)
	known := filepath.Join(filepath.Dir(d.SSHConfig), "known_hosts")
	names := append(append(naming("A", server), naming("B", hop)...), known, "KNOWN")
	first := told(d.Trace(t.Context(), Target{Name: "h", ProxyJump: "leo@hop"}), names...)
	compare(t, first, `hop leo@B:PORT
  HostName 127.0.0.1 (ssh config)
  Port PORT (ssh config)
  User leo (ProxyJump)
  IdentityFile ID-B (ssh config)
  IdentitiesOnly yes (ssh config)
  IdentityAgent none (ssh config)
  UserKnownHostsFile KNOWN (ssh config)
  GlobalKnownHostsFile none (ssh config)
  host key "ssh-ed25519 SHA256:B" from "KNOWN:2"
  key ID-B: accepted
  logged in: true
h tester@A:PORT
  HostName 127.0.0.1 (ssh config)
  Port PORT (ssh config)
  User tester (ssh config)
  IdentityFile ID-A (ssh config)
  IdentitiesOnly yes (ssh config)
  IdentityAgent none (ssh config)
  ProxyJump leo@hop (fleet.hcl)
  UserKnownHostsFile KNOWN (ssh config)
  GlobalKnownHostsFile none (ssh config)
  host key "ssh-ed25519 SHA256:A" from "KNOWN:1"
  key ID-A: accepted
  logged in: true
root "login", measured: true, error: <nil>
`)
	// The second host shares the hop, and still tells of it.
	compare(t, told(d.Trace(t.Context(), Target{Name: "h", ProxyJump: "leo@hop"}), names...), first)
	if n := hop.Conns.Load(); n != 1 {
		t.Errorf("%d connections to the hop", n)
	}
}

func TestTraceEndsAtAHop(t *testing.T) {
	t.Parallel()
	server, hop := sshtest.Start(t, nil), sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server, "hop": hop})
	known := filepath.Join(filepath.Dir(d.SSHConfig), "known_hosts")
	os.WriteFile(known, nil, 0o600)
	trace := d.Trace(t.Context(), Target{Name: "h", ProxyJump: "hop"})
	if len(trace.Hops) != 2 || trace.Hops[0].HostKey == "" || trace.Hops[0].KnownFrom != "" || trace.Hops[1].HostKey != "" {
		t.Errorf("got %s", told(trace))
	}
	if hint.KindOf(trace.Err) != HostKeyUnknown || !strings.HasPrefix(trace.Err.Error(), "hop hop: verify host key of ") {
		t.Errorf("got %v", trace.Err)
	}
}

func TestTraceShowsCertificates(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	signer, err := ssh.ParsePrivateKey([]byte(read(t, server.IdentityFile())))
	if err != nil {
		t.Fatal(err)
	}
	authority, _ := sshtest.NewKey(t)
	ends := time.Now().Add(time.Hour).Truncate(time.Second)
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidBefore: uint64(ends.Unix())}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(server.IdentityFile()+"-cert.pub", ssh.MarshalAuthorizedKey(cert), 0o600)
	keys := d.Trace(t.Context(), Target{Name: "h"}).Hops[0].Keys
	if len(keys) != 2 || !keys[0].Expires.Equal(ends) || keys[0].Answer != Refused || !keys[1].Expires.IsZero() || keys[1].Answer != Accepted {
		t.Errorf("got %+v", keys)
	}
}

func TestTraceOfWhatDoesNotResolve(t *testing.T) {
	t.Parallel()
	d := &Dialer{SSHConfig: filepath.Join(t.TempDir(), "missing")}
	t.Cleanup(func() { d.Close() })
	trace := d.Trace(t.Context(), Target{Name: "h"})
	if trace.Hops != nil || hint.KindOf(trace.Err) != BadConfig {
		t.Errorf("got %s", told(trace))
	}
}

func TestHostCertificateOfAnotherAuthority(t *testing.T) {
	t.Parallel()
	known, _ := sshtest.NewKey(t)
	other, _ := sshtest.NewKey(t)
	for _, test := range []struct {
		name      string
		authority ssh.Signer
		ends      uint64
		hint      string
	}{
		{"unknown", other, ssh.CertTimeInfinity, "if this authority may speak for the host, add to KNOWN:\n@cert-authority [127.0.0.1]:PORT " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(other.PublicKey())))},
		{"lapsed", known, 1, "on the host, a new certificate for 127.0.0.1; ssh-keygen -Lf shows the old one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, _ := sshtest.NewKey(t)
			cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: test.ends}
			if err := cert.SignCert(rand.Reader, test.authority); err != nil {
				t.Fatal(err)
			}
			signer, err := ssh.NewCertSigner(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			server := sshtest.Start(t, &sshtest.Server{HostKey: signer})
			d, file := edited(t, server, func(c, k string) (string, string) {
				return c, "@cert-authority * " + string(ssh.MarshalAuthorizedKey(known.PublicKey()))
			})
			trace := d.Trace(t.Context(), Target{Name: "h"})
			var e *Error
			if !errors.As(trace.Err, &e) || e.Reason != HostKeyUnknown {
				t.Fatalf("got %v", trace.Err)
			}
			if got := strings.NewReplacer(file, "KNOWN", port(server), "PORT").Replace(e.Advice); got != test.hint {
				t.Errorf("got %s, want %s", got, test.hint)
			}
			if hop := trace.Hops[0]; !strings.HasPrefix(hop.HostKey, "ssh-ed25519-cert-v01@openssh.com SHA256:") || hop.KnownFrom != "" || hop.HostKeyExpires.IsZero() != (test.ends == ssh.CertTimeInfinity) {
				t.Errorf("got %+v", hop)
			}
		})
	}
}
