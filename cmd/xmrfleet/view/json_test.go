package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// linesOf are the lines of some events without what all lines have in common:
// the time and the run.
func linesOf(t *testing.T, events ...Event) string {
	t.Helper()
	var out bytes.Buffer
	j := NewJSON(&out, "7f3a", "v1", func() time.Time { return noon })
	for _, e := range events {
		j.Report(e)
	}
	first, rest, _ := strings.Cut(out.String(), "\n")
	const want = `{"type":"version","run_id":"7f3a","@timestamp":"2026-11-23T12:00:00.123456Z","@level":"info","@message":"xmrfleet v1","ui":"1.1","xmrfleet":"v1"}`
	if first != want {
		t.Errorf("the first line is %s, want %s", first, want)
	}
	for line := range strings.Lines(rest) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	return strings.NewReplacer(`"@timestamp":"2026-11-23T12:00:00.123456Z",`, "", `"run_id":"7f3a",`, "").Replace(rest)
}

var diagnosed = hcl.Diagnostics{
	{Severity: hcl.Error, Summary: "Invalid value", Detail: `"x" must be 1.`,
		Range:   &hcl.Range{Filename: "fleet.hcl", Start: hcl.Pos{Line: 7, Column: 3, Byte: 90}, End: hcl.Pos{Line: 7, Column: 5, Byte: 92}},
		Snippet: &hcl.Snippet{Code: "  x = 0", StartLine: 7, HighlightStart: 6, HighlightEnd: 7}},
	{Severity: hcl.Warning, Summary: "Odd", Detail: "Odd."},
}

func TestJSONOfFile(t *testing.T) {
	check(t, linesOf(t, Loaded{Diagnostics: diagnosed}, Validated{File: "fleet.hcl", Report: diagnosed.Report()},
		Validated{File: "fleet.hcl", Hosts: 2, Report: hcl.Diagnostics(nil).Report()}))
}

func TestJSONOfPlan(t *testing.T) {
	user := change("user xmrig", modules.Change{Action: modules.Create, After: "shown with details only", Fields: []modules.Field{{Name: "group", New: "xmrig"}}})
	hosts := []HostPlan{
		{Host: "a", Plan: &plan.Plan{Changes: []plan.Change{user, newPool, restart}, Warnings: []string{"user xmrig: odd"}}},
		{Host: "b", Plan: &plan.Plan{}},
		{Host: "c", Err: hint.WithKind(errors.New("connect c:22: no route to host"), "unreachable", "is it on?")},
		{Host: "d", Err: hint.WithKind(errors.New("the host moved"), plan.Stale, ""), Plan: &plan.Plan{Changes: []plan.Change{user}}},
	}
	check(t, linesOf(t, Planned{Hosts: hosts, Took: 400 * time.Millisecond}, Saved{File: "p.json"}))
	if text := linesOf(t, Planned{Hosts: hosts, Details: true}); !strings.Contains(text, "shown with details only") {
		t.Error("details do not show new files")
	}
}

func TestJSONOfApply(t *testing.T) {
	two := []plan.Change{newPool, restart}
	good := HostResult{Host: "a", Outcome: plan.Outcome{Done: two, Touched: true}, Took: time.Second}
	bad := HostResult{Host: "b", Outcome: plan.Outcome{Done: two[:1], Pending: two[1:], Touched: true, Err: errors.New("service xmrig: start failed")}}
	check(t, linesOf(t, Applying{Hosts: []string{"a", "b"}}, Begun{Host: "a", Changes: 2}, Made{Host: "a", Change: newPool, Took: 90 * time.Millisecond},
		Stopping{}, Abandonable{}, Ended{good}, Ended{bad}, Applied{Retry: "xmrfleet apply -l b,d,e", Took: time.Minute, Results: []HostResult{
			good, bad, {Host: "c"}, {Host: "d", Failed: hint.WithKind(errors.New("locked by x"), "locked", "wait")},
			{Host: "e", Outcome: plan.Outcome{Done: two, Touched: true, Err: errors.New("verify: connection lost")}},
		}}))
}

func TestJSONOfStatus(t *testing.T) {
	now, rate := time.Now(), 11812.5
	checked := now.UTC().Format(time.RFC3339Nano)
	utc := now.UTC()
	text := linesOf(t, Status{Took: time.Second, Hosts: []HostStatus{
		{Host: "good", Desired: modules.StateRunning, Status: modules.Status{Now: now, Installed: true, Active: "active", Sub: "running", Result: "success", AgentActive: true,
			Agent: &agent.Status{Version: 1, State: agent.Running, LastHealthCheckAt: &utc, Hashrate: [3]*float64{&rate, nil, nil}, Accepted: 97, Pool: "p:443", PoolConnected: true}}},
		{Host: "agentless", Desired: modules.StateStopped, Status: modules.Status{Now: now, Installed: true, Active: "active"}},
		{Host: "dead", Desired: modules.StateRunning, Err: hint.WithKind(errors.New("connect dead:22: no route to host"), "unreachable", "")},
	}})
	for _, part := range []string{
		`{"type":"host_status","host":"good","@level":"info","@message":"good: running","state":"running","desired":"running","as_desired":true,"healthy":true,"check_age_s":0,"share":100,"systemd":{"installed":true,"active_state":"active","sub_state":"running","result":"success","agent_active":true},"agent":{"version":1,`,
		`"last_health_check_at":"` + checked + `"`, `"hashrate":[11812.5,null,null]`,
		`{"type":"host_status","host":"agentless","@level":"error","@message":"agentless: running","state":"running","desired":"stopped","as_desired":false,"healthy":false,"note":"no agent; state from systemd","systemd":{"installed":true,"active_state":"active","sub_state":"","result":"","agent_active":false}}` + "\n",
		`{"type":"host_status","host":"dead","@level":"error","@message":"dead: unknown: connect dead:22: no route to host","state":"unknown","desired":"running","as_desired":false,"healthy":false,"error":"connect dead:22: no route to host","kind":"unreachable"}` + "\n",
		`{"type":"status_summary","@level":"info","@message":"Fleet: 11,813 H/s (10s), 1 of 3 hosts healthy, 1 as described.","hosts":3,"as_desired":1,"astray":0,"healthy":1,"hashrate":11812.5,"window":"10s","failed_commands":0,"took_ms":1000}` + "\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("want %s in\n%s", part, text)
		}
	}
}

// TestJSONOfEnd: what comes after the end is dropped.
func TestJSONOfEnd(t *testing.T) {
	check(t, linesOf(t, Failed{Err: hint.With(errors.New("select hosts: none"), "see --limit")},
		Finished{Command: "apply", Code: 130, Outcome: "interrupted", Signal: "interrupt", Hosts: Tally{Done: 3, Changed: 2, Failed: 1, Between: 1}, Took: time.Second},
		Saved{File: "late"}))
	check(t, linesOf(t, Finished{Command: "plan", Code: 2, Outcome: "changes"}))
	check(t, linesOf(t, Finished{Code: 64, Outcome: "usage"}))
}

// A secret is masked in every string, however it has to be escaped, and never
// tears a line apart, even if it is a word of the format.
func TestJSONHidesSecrets(t *testing.T) {
	secrets := []string{`quote"back\slash`, "<angle>&", "tab\there", "kind", "type", "ünï✓", "error"}
	for _, secret := range secrets {
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		c := change("file x", modules.Change{Action: modules.Update, Reason: secret, Before: "{" + string(quoted) + ": 1}\n", After: "x " + secret + "\n",
			Fields: []modules.Field{{Name: "f", Old: secret, New: secret + secret}}})
		text := linesOf(t, Loaded{Secrets: secrets}, Planned{Hosts: []HostPlan{{Host: "a", Plan: &plan.Plan{Changes: []plan.Change{c}}}}}, Failed{Err: hint.With(errors.New(secret), secret)})
		line, _, _ := strings.Cut(text, "\n")
		var fields struct {
			Type, Reason, Before, After string
			Fields                      []modules.Field
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if fields.Type != "planned_change" || fields.Reason != modules.Masked || fields.Before != "{\"(sensitive)\": 1}\n" ||
			fields.After != "x (sensitive)\n" || fields.Fields[0].New != "(sensitive)(sensitive)" {
			t.Errorf("%q is in %s", secret, line)
		}
	}
}

// Text that a command prints past the events is in the stream as well.
func TestJSONOfText(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, "7f3a", "v1", func() time.Time { return noon })
	NewPrinter(j, false, 0).Write([]byte("one \"1\"\ntwo\x1b[2J\n"))
	_, rest, _ := strings.Cut(out.String(), "\n")
	check(t, strings.ReplaceAll(rest, `"run_id":"7f3a","@timestamp":"2026-11-23T12:00:00.123456Z",`, ""))
}

// Lines of hosts that are changed at the same time stay whole.
func TestJSONOfManyAtOnce(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, "7f3a", "v1", time.Now)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { j.Report(Begun{Host: "a", Changes: 1}) })
	}
	all.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 51 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}
