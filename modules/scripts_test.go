package modules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/agent"
)

// rare are the laws in which a script runs that neither the life of a miner nor
// a question needs.
var rare = []string{
	"file: mode", "user: group missing", "user: other group and a login", "journal: running with older settings",
	"push: other version", "push: file of another version in place", "push: other mode in the store",
	"push: directories for everyone", "pull: new", "absent: adopted",
	"stopped, unit file changed", "stopped, link without a unit",
}

// TestScripts has every script that a host may get run by the shells of the
// distributions: the list is that of the sources, and a script that no part of
// this test runs is an error.
func TestScripts(t *testing.T) {
	scripts := constants(t)
	for _, shell := range []string{"dash", "bash --posix", "busybox sh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(shell)
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Skip(err)
			}
			newRoot(t) // skips the test where there can be none
			ran := make(map[string]bool)
			in := func(h *host) *host {
				h.shell, h.ran = words, ran
				return h
			}
			lifeOfMiner(in(newRoot(t)))
			askAll(in(newRoot(t)))
			for _, l := range slices.Concat(laws, rooted(binaryLaws), rooted(serviceLaws)) {
				if slices.Contains(rare, l.name) {
					h := in(l.host(t))
					h.converge(l.make(h))
				}
			}
			for script, where := range scripts {
				if !ran[script] {
					t.Errorf("%s: nothing runs this script", where)
				}
			}
		})
	}
}

// askAll asks all that is not a part of a plan, of a host with an agent and a
// miner that were started by fakes.
func askAll(h *host) {
	h.t.Helper()
	h.write("/usr/local/sbin/systemd-cat", "#!/bin/sh\ncat >>\"$FAKE/journal\"\n", 0o755)
	for _, r := range typical().Resources() {
		h.converge(r)
	}
	status, err := ParseStatus(h.must(StatusProbe()))
	if err != nil || !status.Installed || status.Active != "active" || !status.AgentActive || status.Agent != nil {
		h.t.Errorf("status: %+v, %v", status, err)
	}
	if report := ParseUnitReport(agent.MinerUnit, h.must(UnitReportProbe(agent.MinerUnit))); report.Active != "active" || len(report.Journal) != 1 {
		h.t.Errorf("unit report: %+v", report)
	}
	var proof []Result
	for _, c := range ProofProbes() {
		proof = append(proof, h.run(c))
	}
	if p, err := ParseProof(proof); err != nil || !p.Shows(ProcessStep, typical().Description()) || p.Check != nil {
		h.t.Errorf("proof: %+v, %v", p, err)
	}
	const none = "there is no health agent on the host"
	if _, err := ParseHistory(h.run(HistoryProbe())); err == nil || err.Error() != "read history: "+none {
		h.t.Errorf("history: %v", err)
	}
	restart := Control{Action: Restart, Reason: "it's \"why\""}
	if err := restart.Err(h.run(restart.Command())); err == nil || err.Error() != none {
		h.t.Errorf("control: %v", err)
	}
	for _, action := range []Action{Stop, Start, Restart} {
		c := Control{Action: action, Direct: true, Desired: StateRunning}
		if err := c.Err(h.run(c.Command())); err != nil {
			h.t.Errorf("control: %v", err)
		}
		status, err := ParseStatus(h.must(StatusProbe()))
		if err != nil || (status.Active == "active") != (action != Stop) {
			h.t.Errorf("%s: %+v, %v", action, status, err)
		}
	}
	h.must(Audit("one\ntwo $(three)"))
	if got := h.read("/run/fake/journal"); got != `one\ntwo $(three)`+"\n" {
		h.t.Errorf("audit: %q", got)
	}
	for status, want := range map[string]string{"0": "who: what: done\n", "3": "who: what: failed, exit status 3\n"} {
		h.write("/run/fake/journal", "", 0o644)
		r := h.run(Audited("who: what", "done", Command{Script: lineScript, Args: []string{"echo said; exit " + status}}))
		if got := h.read("/run/fake/journal"); r.Stdout != "said\n" || strconv.Itoa(r.Status) != status || got != "who: what\n"+want {
			h.t.Errorf("audited: %+v, %q", r, got)
		}
	}
	h.write("/run/fake/journal", "", 0o644)
	if r := h.run(Audited("who: what", "done", Command{Script: lineScript, Args: []string{"kill -s TERM $PPID"}})); r.Status != 143 ||
		h.read("/run/fake/journal") != "who: what\nwho: what: ended before it was done\n" {
		h.t.Errorf("audited, and ended: %+v, %q", r, h.read("/run/fake/journal"))
	}
	if got := h.must(AuditTrail(time.Hour)); !strings.Contains(got, "--identifier=xmrfleet _UID=0 --lines=1000 --since=-3600000000us --reverse") {
		h.t.Errorf("audit trail: %q", got)
	}
	for want, words := range map[string][]string{"a b\n": {"echo a b"}, "a  b\n": {"echo", "a  b"}} {
		if got := h.must(Exec(words...)); got != want {
			h.t.Errorf("exec %q: %q", words, got)
		}
	}
	logs := Logs{Unit: agent.MinerUnit, Lines: 5}
	for _, l := range []Logs{logs, {Unit: logs.Unit, Lines: 5, Since: "1h"}, {Unit: logs.Unit, Lines: 5, Follow: true}} {
		if got := h.must(l.Command()); !strings.Contains(got, "--unit=xmrig.service") || !strings.Contains(got, "--lines=5") {
			h.t.Errorf("logs %+v: %q", l, got)
		}
	}
}

// constants finds the scripts of this package: what stands behind Script, or is
// handed to a function step that puts it there. All of them are constants, so
// that what varies cannot be a part of one. It returns where each stands.
func constants(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	known := make(map[string]ast.Expr) // constants of the package
	var found []ast.Expr
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					known[n.Names[i].Name] = value
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Script" {
					found = append(found, n.Value)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "step" {
					found = append(found, n.Args[0])
				}
			}
			return true
		})
	}
	scripts := make(map[string]string)
	for _, e := range found {
		where := set.Position(e.Pos()).String()
		if name, ok := e.(*ast.Ident); ok && name.Name == "script" {
			continue // the parameter of step
		}
		text, ok := constant(e, known)
		if !ok {
			t.Errorf("%s: not a constant", where)
		}
		scripts[text] = where
	}
	if len(scripts) < 30 {
		t.Errorf("only %d scripts were found", len(scripts))
	}
	return scripts
}

// text is the value of a constant expression.
func constant(e ast.Expr, known map[string]ast.Expr) (value string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		return value, err == nil
	case *ast.Ident:
		return constant(known[e.Name], known)
	case *ast.BinaryExpr:
		x, ok1 := constant(e.X, known)
		y, ok2 := constant(e.Y, known)
		return x + y, ok1 && ok2
	}
	return "", false
}

// TestImports keeps the package to the standard library: both programs link
// it.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "xmrfleet/modules/agent\nxmrfleet/modules/hint\nxmrfleet/modules\n"; got != want {
		t.Errorf("imports:\n got %q\nwant %q", got, want)
	}
}
