package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// everywhere are packages of one idea each that every layer may import.
var everywhere = []string{"xmrfleet/modules/hint", "xmrfleet/modules/printable"}

// layers says which packages of ours each package may import. What is below
// knows nothing of what is above, and neighbours do not know each other.
var layers = map[string][]string{
	"xmrfleet/modules/hint":          nil,
	"xmrfleet/modules/printable":     nil,
	"xmrfleet/modules/agent":         nil,
	"xmrfleet/modules":               {"xmrfleet/modules/agent"},
	"xmrfleet/hcl":                   {"xmrfleet/modules"},
	"xmrfleet/plan":                  {"xmrfleet/modules"},
	"xmrfleet/executor":              {"xmrfleet/modules"},
	"xmrfleet/cmd/xmrfleet/lines":    nil,
	"xmrfleet/cmd/xmrfleet/screen":   nil,
	"xmrfleet/cmd/xmrfleet/selector": {"xmrfleet/hcl"},
	"xmrfleet/cmd/xmrfleet/lastrun":  {"xmrfleet/hcl"},
	"xmrfleet/cmd/xmrfleet/supply":   {"xmrfleet/hcl", "xmrfleet/modules"},
	"xmrfleet/cmd/xmrfleet/view": {
		"xmrfleet/executor", "xmrfleet/hcl", "xmrfleet/modules", "xmrfleet/modules/agent", "xmrfleet/plan",
		"xmrfleet/cmd/xmrfleet/selector",
	},
	"xmrfleet/cmd/xmrfleet/journal": {
		"xmrfleet/executor", "xmrfleet/modules", "xmrfleet/cmd/xmrfleet/lines", "xmrfleet/cmd/xmrfleet/view",
	},
	"xmrfleet/cmd/xmrfleet": {
		"xmrfleet/modules", "xmrfleet/modules/agent", "xmrfleet/hcl", "xmrfleet/plan", "xmrfleet/executor",
		"xmrfleet/cmd/xmrfleet/journal", "xmrfleet/cmd/xmrfleet/lastrun", "xmrfleet/cmd/xmrfleet/lines",
		"xmrfleet/cmd/xmrfleet/screen", "xmrfleet/cmd/xmrfleet/selector", "xmrfleet/cmd/xmrfleet/supply",
		"xmrfleet/cmd/xmrfleet/view",
	},
}

// only says which package alone may import a module, and why.
var only = map[string]struct{ importer, why string }{
	"github.com/hashicorp/hcl/": {"xmrfleet/hcl", "one package reads fleet files"},
	"github.com/zclconf/":       {"xmrfleet/hcl", "one package evaluates expressions"},
}

func TestLayers(t *testing.T) {
	for name, allowed := range layers {
		allowed := slices.Concat(allowed, everywhere)
		for _, imported := range list(t, "-f", `{{join .Imports "\n"}}`, name) {
			if strings.HasPrefix(imported, "xmrfleet/") && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s", name, imported)
			}
			for module, rule := range only {
				if strings.HasPrefix(imported, module) && name != rule.importer {
					t.Errorf("%s imports %s, but %s", name, imported, rule.why)
				}
			}
		}
	}
}

func TestModulesAreStandardLibraryOnly(t *testing.T) {
	for _, dependency := range list(t, "-deps", "xmrfleet/modules") {
		if strings.Contains(strings.Split(dependency, "/")[0], ".") && !strings.HasPrefix(dependency, "vendor/") {
			t.Errorf("xmrfleet/modules depends on %s", dependency)
		}
	}
}

func TestNoDatabaseInCLI(t *testing.T) {
	for _, dependency := range list(t, "-deps", "xmrfleet/cmd/xmrfleet") {
		if dependency == "database/sql" || strings.HasPrefix(dependency, "modernc.org/") {
			t.Errorf("xmrfleet links %s: SQLite belongs to the agent", dependency)
		}
	}
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
