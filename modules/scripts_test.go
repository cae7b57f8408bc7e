package modules

import (
	"os/exec"
	"strings"
	"testing"
)

// TestScripts has every script that a host may get read by the shells of the
// supported distributions.
func TestScripts(t *testing.T) {
	scripts := map[string]string{FactsProbe().Script: "facts"}
	for name, script := range map[string]string{
		"writeFile": writeFile, "swapLink": swapLink, "remove": remove, "createUser": createUser, "denyLogin": denyLogin,
		"setEnabled": setEnabled, "dropLink": dropLink, "startUnit": startUnit, "pushIntoStore": pushIntoStore, "copyIntoStore": copyIntoStore,
		"pullIntoStore": pullIntoStore, "moveIntoStore": moveIntoStore, "stopJournal": stopJournal,
	} {
		scripts[script] = name
	}
	for name, m := range variants() {
		h := newHost(t)
		facts := h.facts()
		facts.XMRigs = []FoundBinary{{Path: "/home/a/xmrig", Real: "/home/a/xmrig", SHA256: sum(current)}}
		for _, r := range m.Resources() {
			scripts[r.Probe().Script] = name + ": probe of " + r.ID()
			c, err := r.Diff(h.must(r.Probe()), facts)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range c.Steps {
				scripts[step.Script] = name + ": step of " + r.ID()
			}
		}
	}
	for _, shell := range []string{"dash", "bash", "busybox sh"} {
		words := strings.Fields(shell)
		if _, err := exec.LookPath(words[0]); err != nil {
			t.Log(err)
			continue
		}
		for script, name := range scripts {
			out, err := exec.Command(words[0], append(words[1:], "-n", "-c", script)...).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v: %s", shell, name, err, out)
			}
		}
	}
}

// TestImports keeps the package to the standard library: both programs link
// it.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "xmrfleet/modules/agent\nxmrfleet/modules\n"; got != want {
		t.Errorf("imports:\n got %q\nwant %q", got, want)
	}
}
