package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/plan"
)

func TestRefuseTwice(t *testing.T) {
	read := func(name, machine, boot string) *session {
		return &session{host: hcl.Host{Name: name}, plan: &plan.Plan{Facts: modules.Facts{MachineID: machine, BootID: boot}}}
	}
	lock := func(name, run, host string) *session {
		return &session{host: hcl.Host{Name: name}, err: fmt.Errorf("open: %w",
			&executor.Error{Reason: executor.Locked, Op: "lock", Err: errors.New("held"), Holder: &executor.Holder{Run: run, Host: host}})}
	}
	sessions := []*session{read("a", "m", "1"), read("b", "m", "1"), read("clone", "m", "2"), read("old", "", ""), read("older", "", ""),
		read("c", "n", "1"), lock("d", "7f3a", "c"), lock("other", "99", "c"), lock("gone", "7f3a", "none"),
		{host: hcl.Host{Name: "dead"}, err: errors.New("unreachable")}}
	refuseTwice(sessions, "7f3a")
	var got []string
	for _, s := range sessions {
		if s.err != nil && strings.Contains(s.err.Error(), "same") {
			got = append(got, s.host.Name+": "+s.err.Error())
		}
	}
	if want := "a: this is the same machine as b, b: this is the same machine as a, c: this is the same machine as d, d: this is the same machine as c"; strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}
