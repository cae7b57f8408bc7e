package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor"
	"xmrfleet/modules/hint"
)

func TestChecked(t *testing.T) {
	past := time.Date(2026, 11, 1, 12, 0, 0, 0, time.Local)
	checked := SSHCheck{Details: true, Took: 400 * time.Millisecond, Hosts: []HostCheck{
		{Host: "mini-1", Trace: &executor.Trace{Resolver: "/usr/bin/ssh", Root: "sudo", RoundTrip: 234567 * time.Nanosecond, Hops: []executor.Hop{
			{Name: "jump", User: "maia", Address: "10.0.0.1:22", Took: 31234567, HostKey: "ssh-ed25519 SHA256:a", KnownFrom: "known_hosts:3",
				Settings: []executor.Setting{{Keyword: "User", Value: "maia", Origin: executor.FromJump}},
				Keys:     []executor.Key{{From: "agent: maia's", Answer: executor.Accepted, Expires: past}, {From: "id", Answer: executor.NotTried}}},
			{Name: "mini-1", User: "deploy", Address: "10.0.0.7:22", Took: 1234567, HostKey: "ssh-ed25519 SHA256:b", KnownFrom: "host_key in fleet.hcl",
				Settings: []executor.Setting{{Keyword: "Port", Value: "22", Origin: executor.FromDefault}},
				Keys:     []executor.Key{{From: "id", Answer: executor.Accepted}}},
		}}},
		{Host: "mini-2", Trace: &executor.Trace{Err: hint.With(errors.New("log in as x@10.0.0.8:22: no key was\x1b accepted"), "add this\nor that"), Hops: []executor.Hop{
			{Name: "mini-2", User: "x", Address: "10.0.0.8:22", ControlSocket: "/run/c", ControlUnused: "connection refused", HostKey: "ssh-ed25519 SHA256:c", Unusable: []string{"id: it has a passphrase"},
				Keys: []executor.Key{{From: "other", Answer: executor.Refused}}},
		}}},
	}}
	const want = `
  = mini-1  root by sudo, which asks no password; a round trip takes 230µs
      hop jump                maia@10.0.0.1:22  (logged in within 31ms)
        User                  maia  (ProxyJump)
        host key              ssh-ed25519 SHA256:a  (known from known_hosts:3)
        key                   agent: maia's  (accepted; its certificate ended 2026-11-01 12:00:00)
        key                   id  (not tried)
      host                    deploy@10.0.0.7:22  (logged in within 1.2ms)
        Port                  22  (default)
        host key              ssh-ed25519 SHA256:b  (known from host_key in fleet.hcl)
        key                   id  (accepted)

  ! mini-2  log in as x@10.0.0.8:22: no key was accepted
      host                    x@10.0.0.8:22  (not logged in)
        ControlPath           /run/c  (not used: connection refused)
        host key              ssh-ed25519 SHA256:c  (refused)
        key                   other  (refused)
        key                   id: it has a passphrase  (cannot be offered)
      ssh                     there is no such program here, so no ssh configuration was read
      hint: add this
        or that

Check: 1 of 2 hosts can be managed.    0.4s
`
	var out strings.Builder
	(&Text{Out: NewPrinter(&out, false, 0)}).Report(checked)
	if got := "\n" + out.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestCheckedOverControlSocket(t *testing.T) {
	trace := &executor.Trace{Resolver: "ssh", Root: "sudo", RoundTrip: time.Millisecond,
		Hops: []executor.Hop{{Name: "m1", User: "deploy", Address: "m1:22", Took: 2 * time.Millisecond, ControlSocket: "/run/c"}}}
	for _, test := range []struct {
		details bool
		want    string
	}{
		{false, `
  = m1  root by sudo, which asks no password, over a control socket; a round trip takes 1ms

Check: 1 of 1 host can be managed.    0.0s
`},
		{true, `
  = m1  root by sudo, which asks no password, over a control socket; a round trip takes 1ms
      host                    deploy@m1:22  (reached within 2ms)
        ControlPath           /run/c  (a live master, so no login of our own)

Check: 1 of 1 host can be managed.    0.0s
`},
	} {
		out, _ := told(SSHCheck{Hosts: []HostCheck{{Host: "m1", Trace: trace}}, Details: test.details})
		equal(t, out, test.want)
	}
}

// Of many hosts those that are alike are a line, and what is wrong comes last.
func TestCheckedMany(t *testing.T) {
	var hosts []HostCheck
	way := func(host, user string, took time.Duration) executor.Hop {
		return executor.Hop{Name: host, User: user, Address: host + ":22", Took: took}
	}
	for i := 1; i <= 40; i++ {
		name := fmt.Sprintf("m%02d", i)
		h := HostCheck{Host: name, Trace: &executor.Trace{Resolver: "ssh", Root: "sudo", RoundTrip: time.Duration(i) * 100 * time.Microsecond,
			Hops: []executor.Hop{way(name, "deploy", time.Millisecond)}}}
		switch {
		case i == 7:
			h.Trace.Err = hint.With(errors.New("become root by sudo: sudo wants a password"), "edit sudoers")
		case i > 30 && i < 35:
			h.Trace.Err = hint.With(errors.New("hop jump: connect jump:22: connection refused"), "start sshd")
			h.Trace.Hops = []executor.Hop{way("jump", "maia", 0), way(name, "deploy", 0)}
		case i == 20:
			h.Trace.Root, h.Trace.RoundTrip = "login", time.Second
		}
		hosts = append(hosts, h)
	}
	out, _ := told(SSHCheck{Hosts: hosts, Took: time.Second})
	check(t, out)
	out, _ = told(SSHCheck{Hosts: hosts[:6]})
	check(t, out)
}

// A certificate that ends soon is worth a line of its own.
func TestCheckedLapse(t *testing.T) {
	end := time.Now().Add(-time.Hour)
	key := func(answer executor.Answer) []executor.Hop {
		return []executor.Hop{{Keys: []executor.Key{{From: "a", Answer: answer, Expires: end}}}}
	}
	out, _ := told(SSHCheck{Hosts: []HostCheck{
		{Host: "m1", Trace: &executor.Trace{Hops: key(executor.NotTried)}},
		{Host: "m2", Trace: &executor.Trace{Hops: key(executor.Accepted)}},
		{Host: "m3", Trace: &executor.Trace{Hops: key(executor.Accepted)}},
	}})
	check(t, strings.ReplaceAll(out, end.Format(time.DateTime), "T"))
}
