package executor

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"xmrfleet/executor/sshtest"
)

func TestBastionIsShared(t *testing.T) {
	t.Parallel()
	hop1, hop2 := sshtest.Start(t, nil), sshtest.Start(t, nil)
	hosts := map[string]*sshtest.Server{"hop1": hop1, "hop2": hop2}
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names {
		hosts[name] = sshtest.Start(t, nil)
	}
	d := dialer(t, hosts)
	d.Parallelism, d.PerBastion = 3, 2
	for _, out := range Each(t.Context(), names, 0, func(ctx context.Context, name string) (string, error) {
		s, _, err := d.Open(ctx, Target{Name: name, ProxyJump: "hop1,hop2"}, OpenOptions{})
		if err != nil {
			return "", err
		}
		defer s.Close()
		results, err := s.Run(ctx, nil, sh(`echo "$1"`, name))
		if err != nil {
			return "", err
		}
		return results[0].Stdout, nil
	}) {
		if out.Err != nil || len(out.Value) != 2 {
			t.Errorf("got %q, %v", out.Value, out.Err)
		}
	}
	if hop1.Conns.Load() != 1 || hop2.Conns.Load() != 1 {
		t.Errorf("%d and %d connections to the hops, want one each", hop1.Conns.Load(), hop2.Conns.Load())
	}
	if n := hop1.Execs.Load() + hop2.Execs.Load(); n != 0 {
		t.Errorf("%d commands on the hops", n)
	}
}

func TestBastionErrors(t *testing.T) {
	t.Parallel()
	server, hop := sshtest.Start(t, nil), sshtest.Start(t, nil)
	d, _ := edited(t, server, func(c, k string) (string, string) {
		hopConfig := "Host hop\n  HostName 127.0.0.1\n  Port " + port(hop) + "\n  IdentityFile " + hop.IdentityFile() + "\n" +
			"Host circle1\n  ProxyJump circle2\nHost circle2\n  ProxyJump circle1\n"
		return hopConfig + c, k + "[127.0.0.1]:" + port(hop) + " " + hop.HostKeyLine() + "\n"
	})
	for _, test := range []struct {
		target Target
		reason Reason
		want   string
	}{
		{Target{Name: "h", ProxyJump: "hop", Port: 1}, HopCannotReach, "connect 127.0.0.1:1: hop cannot reach it: Connection refused"},
		{Target{Name: "h", ProxyJump: "127.0.0.1:1"}, ConnectionRefused, "hop [127.0.0.1]:1: connect 127.0.0.1:1: connection refused"},
		{Target{Name: "h", ProxyJump: "circle1"}, BadConfig,
			"hop circle1: hop circle2: connect through circle1: ProxyJump goes in a circle: circle1 > circle2 > circle1"},
	} {
		if e := failure(t, d, test.target); e.Reason != test.reason || e.Error() != test.want {
			t.Errorf("got %s: %s\nwant %s: %s", e.Reason, e, test.reason, test.want)
		}
	}
	open(t, d, "h", OpenOptions{})
}

func port(s *sshtest.Server) string { return s.Addr()[strings.LastIndexByte(s.Addr(), ':')+1:] }

func TestProxyCommand(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	with := func(command string) *Dialer {
		d, _ := edited(t, server, func(c, k string) (string, string) { return "ProxyCommand " + command + "\n" + c, k })
		return d
	}
	if _, err := exec.LookPath("bash"); err == nil {
		s, _ := open(t, with(`bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'`), "h", OpenOptions{})
		if got := text(run(t, s, sh(`echo ok`))); got != "0 \"ok\\n\" \"\"\n" {
			t.Errorf("got %s", got)
		}
	}
	e := failure(t, with(`echo cannot do that >&2`), Target{Name: "h"})
	if want := "connect " + server.Addr() + ": ProxyCommand: cannot do that"; e.Reason != Unreachable || e.Error() != want {
		t.Errorf("got %s: %s", e.Reason, e)
	}
}
