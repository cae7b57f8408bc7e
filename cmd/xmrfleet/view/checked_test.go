package view

import (
	"errors"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor"
)

func TestChecked(t *testing.T) {
	past := time.Date(2026, 11, 1, 12, 0, 0, 0, time.Local)
	checked := Checked{Took: 400 * time.Millisecond, Hosts: []HostCheck{
		{Host: "mini-1", Trace: &executor.Trace{Resolver: "/usr/bin/ssh", Root: "sudo", RoundTrip: 234567 * time.Nanosecond, Hops: []executor.Hop{
			{Name: "jump", User: "maia", Address: "10.0.0.1:22", Took: 31234567, HostKey: "ssh-ed25519 SHA256:a", KnownFrom: "known_hosts:3",
				Settings: []executor.Setting{{Keyword: "User", Value: "maia", Origin: executor.FromJump}},
				Keys:     []executor.Key{{From: "agent: maia's", Answer: executor.Accepted, Expires: past}, {From: "id", Answer: executor.NotTried}}},
			{Name: "mini-1", User: "deploy", Address: "10.0.0.7:22", Took: 1234567, HostKey: "ssh-ed25519 SHA256:b", KnownFrom: "host_key in fleet.hcl",
				Settings: []executor.Setting{{Keyword: "Port", Value: "22", Origin: executor.FromDefault}},
				Keys:     []executor.Key{{From: "id", Answer: executor.Accepted}}},
		}}},
		{Host: "mini-2", Hint: "add this\nor that", Trace: &executor.Trace{Err: errors.New("log in as x@10.0.0.8:22: no key was\x1b accepted"), Hops: []executor.Hop{
			{Name: "mini-2", User: "x", Address: "10.0.0.8:22", HostKey: "ssh-ed25519 SHA256:c", Unusable: []string{"id: it has a passphrase"},
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
