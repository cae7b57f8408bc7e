package executor

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules/hint"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	passed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := []Hop{
		{Name: "hop", Address: "10.0.0.1:22", Took: time.Second},
		{Name: "h", Address: "[::1]:2222", User: "maia", Settings: []Setting{{Keyword: "User", Value: "maia", Origin: FromDefault}},
			Keys: []Key{{From: "id", Expires: passed}, {From: "ever"}, {From: "new", Expires: time.Now().Add(time.Hour)}}},
		{Name: "not reached"},
	}
	full := Target{Name: "h", Address: "10.0.0.9", User: "maia", Port: 2222, IdentityFile: "~/id", ProxyJump: "hop", HostKeys: []string{"KEY"}}
	for _, test := range []struct {
		reason Reason
		has    string // the error's own advice
		target Target
		want   string
	}{
		{AuthRefused, "ssh-add id", full, "the certificate of id ended 2026-01-02 03:04:05: get a new one\n" +
			"the user maia is the one of this machine; another one, in the host block of fleet.hcl: ssh { user = \"deploy\" }\nssh-add id"},
		{HopForbids, "", full, "in sshd_config of the hop: AllowTcpForwarding yes"},
		{HopCannotReach, "", full, "on the hop: nc -vz ::1 2222"},
		{ConnectionRefused, "", full, "on the host, as root: systemctl enable --now ssh; and if its sshd has another port than 2222, in the host block of fleet.hcl: ssh { port = ... }"},
		{Busy, "", full, "fewer at a time: --parallelism 8; or in sshd_config of the host: MaxStartups 100:30:200"},
		{NoAnswer, "", full, "is it on, and is port 2222 open to this machine? nc -vz ::1 2222; for a slow one: --connect-timeout 30s"},
		{NoRoute, "", full, "is it on, and in this network? ping ::1"},
		{LoginDisabled, "", full, "on the host, as root: usermod -s /bin/sh maia"},
		{HostKeyRevoked, "", full, "a new key, on the host, as root: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh"},
		{Penalized, "wait", full, "wait"},
		{Lost, "", full, "what ssh itself says: ssh -v -F 'my config' -l maia -p 2222 -i '~/id' -J hop -o HostName=10.0.0.9 h 'sudo -n true'"},
		{TimedOut, "", Target{Name: "h"}, "what ssh itself says: ssh -v -F 'my config' h 'sudo -n true'"},
		{Canceled, "", full, ""},
	} {
		cause := &Error{Reason: test.reason, Op: "try", Err: errors.New("in vain"), Advice: test.has}
		d := &Dialer{SSHConfig: "my config"}
		err := d.advise(&Trace{Hops: at, Err: cause}, test.target)
		compare(t, hint.Of(err), test.want)
		if err.Error() != "try: in vain" || hint.KindOf(err) != test.reason.Kind() || cause.Advice != test.has {
			t.Errorf("%s became %v of kind %s, and the cause's advice %q", test.reason, err, hint.KindOf(err), cause.Advice)
		}
	}
	if err := errors.New("panic"); (&Dialer{}).advise(&Trace{Err: err}, full) != err {
		t.Error("an error that is none of ours was changed")
	}
}

// The words of other programs, from which reasons are read.
func TestReasonsOfWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reason{
		"dial tcp 10.0.0.9:22: connect: connection refused": ConnectionRefused,
		"connect: Network is unreachable":                   NoRoute,
		"no route":                                          NoRoute,
		"no such program":                                   Unreachable,
	} {
		if got := (&proxyCommandError{text}).reason(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	h := &handshake{Dialer: &Dialer{}, endpoint: &endpoint{host: "h", port: 22, jump: "hop"}}
	for text, want := range map[string]Reason{"open failed": HopForbids, "Connection refused": HopCannotReach} {
		var e *Error
		if !errors.As(h.explain(&ssh.OpenChannelError{Reason: ssh.Prohibited, Message: text}), &e) || e.Reason != want {
			t.Errorf("%s: %v, want %s", text, e, want)
		}
	}
}

func TestTraceAdvises(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, &sshtest.Server{Rc: "echo This account is currently not available.; exit 1"})
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	compare(t, hint.Of(d.Trace(t.Context(), Target{Name: "h"}).Err), "on the host, as root: usermod -s /bin/sh tester")
	d.SSHConfig = filepath.Join(t.TempDir(), "missing")
	compare(t, hint.Of(d.Trace(t.Context(), Target{Name: "h"}).Err), "ssh -G -F "+d.SSHConfig+" -- h")
}
