package view

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/golden"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// printed is what a call prints, without colour.
func printed(width int, print func(*Printer)) string {
	var buf bytes.Buffer
	print(NewPrinter(&buf, false, width))
	return buf.String()
}

// check compares a whole text with the expected one in testdata/golden, which
// `make golden` writes anew. It stands there by the name of the test; further
// texts of one test are numbered.
func check(t *testing.T, got string) {
	t.Helper()
	file, member, _ := strings.Cut(strings.TrimPrefix(t.Name(), "Test"), "/")
	golden.Member(t, "testdata/golden/"+strings.ToLower(file)+".txtar", numbered(t, cmp.Or(member, "text")), got)
}

var checks sync.Map // how many texts of a test were checked, by its name

func numbered(t *testing.T, member string) string {
	count, again := checks.LoadOrStore(t.Name(), new(int))
	if !again {
		t.Cleanup(func() { checks.Delete(t.Name()) })
	}
	n := count.(*int)
	if *n++; *n > 1 {
		return fmt.Sprintf("%s %d", member, *n)
	}
	return member
}

// equal compares a short text with one that stands in the test.
func equal(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("\n--- got\n%s--- want\n%s", got, want)
	}
}

func change(resource string, c modules.Change) plan.Change {
	return plan.Change{Resource: resource, Change: c}
}

var newPool = change("file /etc/xmrig/config.json", modules.Change{Action: modules.Update,
	Before: "{\n    \"pools\": [\n        {\n            \"pass\": \"mini-1-production\",\n            \"url\": \"a:443\"\n        }\n    ]\n}\n",
	After:  "{\n    \"pools\": [\n        {\n            \"pass\": \"mini-1-production\",\n            \"url\": \"b:443\"\n        }\n    ]\n}\n"})

var restart = change("service xmrig", modules.Change{Action: modules.Restart, Disruptive: true,
	Reason: "the running process has the old config"})

// of is a change as it is on another host.
func of(host string, c plan.Change) plan.Change {
	c.Before, c.After = strings.ReplaceAll(c.Before, "mini-1", host), strings.ReplaceAll(c.After, "mini-1", host)
	return c
}

func TestPlan(t *testing.T) {
	hosts := []HostPlan{
		{Host: "mini-1", Plan: &plan.Plan{Changes: []plan.Change{newPool, restart}}},
		{Host: "miner-beta", Plan: &plan.Plan{}},
		{Host: "miner-gamma", Plan: &plan.Plan{Changes: []plan.Change{of("miner-gamma", newPool), restart}}},
		{Host: "miner-delta", Err: hint.With(errors.New("connect 10.0.0.9:22: no route to host"), "is it on?")},
		{Host: "odd", Plan: &plan.Plan{
			Warnings: []string{"file /etc/xmrig/orchestrator.json: agent.hostname is \"x\", the host calls itself \"odd\""},
			Changes: []plan.Change{
				change("user xmrig", modules.Change{Action: modules.Create, Fields: []modules.Field{{Name: "group", New: "xmrig"}}}),
				change("file /etc/xmrig/config.json", modules.Change{Action: modules.Update, Fields: []modules.Field{{Name: "mode", Old: "0644", New: "0640"}}}),
				change("binary xmrig", modules.Change{Action: modules.Update, Fields: []modules.Field{
					{Name: "target", Old: "/s/" + strings.Repeat("a", 64) + "/xmrig", New: "/s/" + strings.Repeat("b", 64) + "/xmrig"},
					{Name: "old binary", Old: strings.Repeat("c", 64)}}}),
				change("file /etc/logrotate.d/xmrig", modules.Change{Action: modules.Delete}),
				change("service xmrig-orchestrator", modules.Change{Action: modules.Start, Disruptive: true}),
			}}},
	}
	check(t, printed(0, func(p *Printer) { p.plan(hosts, false, 400*time.Millisecond) }))
}

// Of new files people are told how long they are, whether they are the same on
// all hosts of a block, and where to see them.
func TestPlanOfNewFiles(t *testing.T) {
	file := func(path, content string) plan.Change {
		return change("file "+path, modules.Change{Action: modules.Create, After: content,
			Fields: []modules.Field{{Name: "mode", New: "0640"}, {Name: "owner", New: "root:root"}}})
	}
	start := change("service xmrig", modules.Change{Action: modules.Start, Disruptive: true, Fields: []modules.Field{{Name: "start at boot", Old: "disabled", New: "enabled"}}})
	host := func(name, content string) HostPlan {
		return HostPlan{Host: name, Plan: &plan.Plan{Changes: []plan.Change{
			file("/a", "of "+name+"\nand more\n"), file("/b", content), change("executable /c", modules.Change{Action: modules.Create}), start}}}
	}
	hosts := []HostPlan{host("m1", "50\n"), host("m2", "50\n"), host("m3", "75\n75"), host("m4", "50\n")}
	plan := func(details bool, hosts ...HostPlan) string {
		return printed(0, func(p *Printer) { p.plan(hosts, details, time.Second) })
	}
	check(t, plan(false, hosts...))
	check(t, plan(false, hosts[2]))
	check(t, plan(true, hosts...))
}

func TestPlanOfNothing(t *testing.T) {
	converged := HostPlan{Host: "a", Plan: &plan.Plan{}}
	dead := HostPlan{Host: "b", Err: errors.New("connect b:22: connection refused")}
	for _, tt := range []struct {
		hosts []HostPlan
		want  string
	}{
		{[]HostPlan{converged}, "Plan: nothing to do, 1 host is as described.    1.0s\n"},
		{[]HostPlan{converged, converged}, "Plan: nothing to do, 2 hosts are as described.    1.0s\n"},
		{[]HostPlan{dead}, "  ! b  connect b:22: connection refused\n\nPlan: the host was not read.    1.0s\n"},
	} {
		equal(t, printed(0, func(p *Printer) { p.plan(tt.hosts, false, time.Second) }), tt.want)
	}
}

// A thousand hosts with the same change are one block.
func TestPlanOfThousand(t *testing.T) {
	hosts := make([]HostPlan, 1000)
	for i := range hosts {
		hosts[i] = HostPlan{Host: "m" + strings.Repeat("x", i%7), Plan: &plan.Plan{Changes: []plan.Change{newPool, restart}}}
	}
	var text string
	cheaply(t, len(hosts), func() { text = printed(100, func(p *Printer) { p.plan(hosts, false, time.Second) }) })
	if lines := strings.Count(text, "\n"); lines > 12 {
		t.Errorf("%d lines for one change", lines)
	}
}

func TestApply(t *testing.T) {
	two := []plan.Change{newPool, restart}
	results := []HostResult{
		{Host: "a", Outcome: plan.Outcome{Done: two, Touched: true}},
		{Host: "b", Outcome: plan.Outcome{Pending: two, Err: plan.ErrInterrupted}},
		{Host: "c", Outcome: plan.Outcome{Done: two[:1], Pending: two[1:], Touched: true, Err: errors.New("service xmrig: start failed\nits journal")}},
		{Host: "d", Failed: hint.With(errors.New("connect d:22: no route to host"), "is it on?")},
		{Host: "e", Outcome: plan.Outcome{Done: two, Touched: true, Err: errors.New("verify: connection lost")}},
	}
	check(t, printed(0, func(p *Printer) {
		p.applied(Applied{Results: results, Retry: "xmrfleet apply -l b,c,d,e", Took: 65 * time.Second})
	}))
}

func TestHide(t *testing.T) {
	got := printed(0, func(p *Printer) {
		p.Hide([]string{"canary", "canary-long", `a"b\c`, "abc"})
		p.Error(errors.New(`canary-long canary "a\"b\\c" a"b\c abc`))
	})
	check(t, got)

	// As programs write a secret, and by lines.
	got = printed(0, func(p *Printer) {
		p.Hide([]string{`a"<b>&'c`, "file-secret\n", "-----BEGIN KEY-----\n{\n  first-line\n  second-line\n}\n"})
		p.Write([]byte(`a"<b>&'c, a\"\u003cb\u003e\u0026'c, a\"<b>&'c, 'a"<b>&'"'"'c', 'a"<b>&'\''c'` + "\n  first-line\n{second-line} }\nfile-secret.\n"))
	})
	check(t, got)
}

func TestControlCharactersStayOut(t *testing.T) {
	got := printed(0, func(p *Printer) { p.Error(hint.With(errors.New("a\x1b[2Jb\rc\x07\nnext"), "")) })
	equal(t, got, "xmrfleet: a[2Jbc\n  next\n")
}

func TestCut(t *testing.T) {
	text := printed(60, func(p *Printer) {
		var out strings.Builder
		p.diff(&out, "user: "+strings.Repeat("x", 100)+"\n", "user: y\n")
		p.Write([]byte(out.String()))
	})
	check(t, text)
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		40 * time.Millisecond: "0.0s", 9900 * time.Millisecond: "9.9s", 12 * time.Second: "12s", 125 * time.Second: "2m05s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

// What a host says is made harmless, our own colours are not.
func TestColour(t *testing.T) {
	var buf bytes.Buffer
	p := NewPrinter(&buf, true, 0)
	p.plan([]HostPlan{{Host: "a", Plan: &plan.Plan{Changes: []plan.Change{
		change("user xmrig", modules.Change{Action: modules.Update, Fields: []modules.Field{{Name: "shell", Old: "/bin/\u009bbash", New: "no login"}}}),
		change("file /x", modules.Change{Action: modules.Delete, Fields: []modules.Field{{Name: "it is a", Old: "li\x1b[2Jnk"}}}),
	}}}}, false, time.Second)
	equal(t, buf.String(), "  \x1b[33m~\x1b[m \x1b[1ma\x1b[m\n"+
		"      \x1b[33m~\x1b[m update  user xmrig\n"+
		"            shell: \x1b[31m/bin/bash\x1b[m -> \x1b[32mno login\x1b[m\n"+
		"      \x1b[31m-\x1b[m delete  file /x  \x1b[2mit is a li[2Jnk\x1b[m\n"+
		"\n\x1b[1mPlan: 1 of 1 host to change, 2 changes.\x1b[m    1.0s\n")
}
