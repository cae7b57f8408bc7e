package view

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// job is what a step of GitHub Actions sees of some events: the log with the
// commands in it, and the summary.
func job(t *testing.T, edit func(*GitHub), events ...Event) (log, summary string) {
	t.Helper()
	var out bytes.Buffer
	text := NewPrinter(Inert(&out), false, 0)
	g := &GitHub{Log: &Text{Out: text, Err: text}, Commands: &out, Summary: Summary{File: filepath.Join(t.TempDir(), "summary")}}
	edit(g)
	for _, e := range events {
		if l, ok := e.(Loaded); ok {
			text.Hide(l.Secrets)
		}
		g.Report(e)
	}
	page, err := os.ReadFile(g.Summary.File)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), string(page)
}

func at(line int) hcl.Pos { return hcl.Pos{Filename: "fleet.hcl", Line: line} }

func TestGitHub(t *testing.T) {
	two := []plan.Change{newPool, restart}
	unreachable := errors.New("connect c:22: no route to host\n100% sure, canary-1")
	log, summary := job(t, func(g *GitHub) { g.Mask = true },
		Loaded{Secrets: []string{"canary-1", "50%\nof", "abc"}, Hosts: []hcl.Host{{Name: "a", Pos: at(3)}, {Name: "b", Pos: at(4)}, {Name: "c", Pos: at(5)}}},
		Planned{Took: time.Second, Hosts: []HostPlan{
			{Host: "a", Plan: &plan.Plan{Changes: two}},
			{Host: "b", Plan: &plan.Plan{Changes: two, Warnings: []string{"file x: odd, 50%"}}},
			{Host: "c", Err: unreachable},
		}},
		Applied{Took: 2 * time.Second, Retry: "xmrfleet apply -l b,c", Results: []HostResult{
			{Host: "a", Outcome: plan.Outcome{Done: two, Touched: true}},
			{Host: "b", Outcome: plan.Outcome{Done: two[:1], Pending: two[1:], Touched: true, Err: errors.New("service xmrig: start failed\n::error::canary-1 from the journal")}},
			{Host: "c", Failed: unreachable},
		}},
		Finished{Command: "apply", Code: 3, Outcome: "partial"})
	check(t, log)
	equal(t, summary, `
### xmrfleet apply: partial

`+"```text"+`
Apply: 1 of 3 hosts converged, 3 changes made, 1 restart. 2 hosts are not.    2.0s
retry: xmrfleet apply -l b,c
`+"```"+`

`+"```text"+`
  ~ a
      ~ update  file /etc/xmrig/config.json
                  "pass": "mini-1-production",
            -     "url": "a:443"
            +     "url": "b:443"
              }
      ~ restart service xmrig: the running process has the old config
  ~ b
      ~ update  file /etc/xmrig/config.json
                  "pass": "mini-1-production",
            -     "url": "a:443"
            +     "url": "b:443"
              }
      ~ restart service xmrig: the running process has the old config
      ! warning: file x: odd, 50%
  ! c  connect c:22: no route to host
      100% sure, (sensitive)

Plan: 2 of 3 hosts to change, 4 changes, 2 restarts. 1 host was not read.    1.0s
  ! b  in between, 1 of 2 changes made; the next apply finishes it: service xmrig: start failed
      ::error::(sensitive) from the journal
        made     update file /etc/xmrig/config.json
        not yet  restart service xmrig
  ! c  untouched: connect c:22: no route to host
      100% sure, (sensitive)
`+"```"+`

`)
}

func TestGitHubOfMistakes(t *testing.T) {
	log, summary := job(t, func(g *GitHub) {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		g.Root = filepath.Dir(wd)
	}, Loaded{Diagnostics: diagnosed, Secrets: []string{"unmasked"}},
		Failed{Err: hint.With(errors.New("select hosts: none: 1, 2"), "see --limit")}, Finished{Command: "plan", Code: 1, Outcome: "failed"})
	check(t, log)
	if !strings.Contains(summary, "\nxmrfleet: select hosts: none: 1, 2\nhint: see --limit\n") || !strings.Contains(summary, "Error: Invalid value") {
		t.Error(summary)
	}
}

func TestGitHubOfThousand(t *testing.T) {
	planned, applied, surveyed := thousand()
	loaded := Loaded{}
	for i, h := range planned.Hosts {
		loaded.Hosts = append(loaded.Hosts, hcl.Host{Name: h.Host, Pos: at(i + 1)})
	}
	for _, e := range []Event{planned, applied, surveyed} {
		log, summary := job(t, func(*GitHub) {}, loaded, e, Finished{Command: "x", Outcome: "partial"})
		if n := strings.Count(log, "\n::error "); n != annotationLimit+1 {
			t.Errorf("%d annotations", n)
		}
		if !strings.Contains(log, "\n::error file=fleet.hcl,line=") || !strings.Contains(log, " more; the log has them all\n") {
			t.Error(log)
		}
		if n := strings.Count(summary, "\n"); n > 70 {
			t.Errorf("the summary has %d lines", n)
		}
	}
}

// The summary of a step stays within its limit, also of several commands.
func TestSummaryLimit(t *testing.T) {
	hosts := make([]HostPlan, 400)
	for i := range hosts {
		hosts[i] = HostPlan{Host: fmt.Sprint("m", i), Plan: &plan.Plan{Changes: []plan.Change{restart}, Warnings: []string{strings.Repeat(fmt.Sprintf("%d ````\n", i), 400)}}}
	}
	file := filepath.Join(t.TempDir(), "summary")
	for range 3 {
		g := &GitHub{Log: &Text{Out: NewPrinter(&bytes.Buffer{}, false, 0)}, Commands: &bytes.Buffer{}, Summary: Summary{File: file}}
		g.Report(Planned{Hosts: hosts})
		g.Report(Finished{Command: "plan", Outcome: "done"})
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	if len(text) > summaryLimit || len(text) < summaryLimit/2 {
		t.Errorf("the summary has %d bytes", len(text))
	}
	for _, part := range []string{"### xmrfleet plan: done\n", "<details><summary>", "`````text\nPlan: 400 of 400 hosts to change", " more lines are in the log\n`````\n\n</details>\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("want %q", part)
		}
	}
}

func TestInert(t *testing.T) {
	var out bytes.Buffer
	const text = "::error::x\n  ::stop-commands::y\n\t::z\na ::b\n##[group]c ##[d] :e\n"
	n, err := Inert(&out).Write([]byte(text))
	if n != len(text) || err != nil {
		t.Error(n, err)
	}
	equal(t, out.String(), ": :error::x\n  : :stop-commands::y\n\t: :z\na ::b\n## [group]c ## [d] :e\n")
}
