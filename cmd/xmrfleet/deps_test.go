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
// knows nothing of what is above, and neighbours do not know each other. Every
// package has a row, here or in tools.
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
	"xmrfleet/cmd/xmrfleet/cache":    nil,
	"xmrfleet/cmd/xmrfleet/lastrun":  {"xmrfleet/hcl", "xmrfleet/cmd/xmrfleet/cache"},
	"xmrfleet/cmd/xmrfleet/roster":   {"xmrfleet/hcl", "xmrfleet/cmd/xmrfleet/cache"},
	"xmrfleet/cmd/xmrfleet/supply":   {"xmrfleet/hcl", "xmrfleet/modules", "xmrfleet/cmd/xmrfleet/cache"},
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
		"xmrfleet/cmd/xmrfleet/roster", "xmrfleet/cmd/xmrfleet/screen", "xmrfleet/cmd/xmrfleet/selector",
		"xmrfleet/cmd/xmrfleet/supply", "xmrfleet/cmd/xmrfleet/view",
	},

	"xmrfleet/cmd/xmrig-orchestrator/internal/cpu":     nil,
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner":   nil,
	"xmrfleet/cmd/xmrig-orchestrator/internal/port":    nil,
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd": nil,
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake":    nil,
	"xmrfleet/cmd/xmrig-orchestrator/internal/health": {
		"xmrfleet/cmd/xmrig-orchestrator/internal/miner", "xmrfleet/cmd/xmrig-orchestrator/internal/port",
		"xmrfleet/cmd/xmrig-orchestrator/internal/systemd", "xmrfleet/modules/agent",
	},
	"xmrfleet/cmd/xmrig-orchestrator/internal/store": {"xmrfleet/cmd/xmrig-orchestrator/internal/health"},
	"xmrfleet/cmd/xmrig-orchestrator/internal/daemon": {
		"xmrfleet/cmd/xmrig-orchestrator/internal/cpu", "xmrfleet/cmd/xmrig-orchestrator/internal/health",
		"xmrfleet/cmd/xmrig-orchestrator/internal/miner", "xmrfleet/cmd/xmrig-orchestrator/internal/port",
		"xmrfleet/cmd/xmrig-orchestrator/internal/store", "xmrfleet/cmd/xmrig-orchestrator/internal/systemd",
		"xmrfleet/cmd/xmrig-orchestrator/internal/wake", "xmrfleet/modules/agent",
	},
	"xmrfleet/cmd/xmrig-orchestrator": {
		"xmrfleet/cmd/xmrig-orchestrator/internal/daemon", "xmrfleet/cmd/xmrig-orchestrator/internal/health",
		"xmrfleet/cmd/xmrig-orchestrator/internal/miner", "xmrfleet/cmd/xmrig-orchestrator/internal/port",
		"xmrfleet/cmd/xmrig-orchestrator/internal/store", "xmrfleet/cmd/xmrig-orchestrator/internal/systemd",
		"xmrfleet/cmd/xmrig-orchestrator/internal/wake", "xmrfleet/modules/agent",
	},
}

// tools are the libraries of tests and the programs that are not shipped, with
// what they may import. No package of layers may import one.
var tools = map[string][]string{
	"xmrfleet/modules/golden":        nil,
	"xmrfleet/hcl/hcltest":           nil,
	"xmrfleet/executor/sshtest":      nil,
	"xmrfleet/cmd/internal/lab":      nil,
	"xmrfleet/cmd/internal/recorded": nil,
	"xmrfleet/cmd/internal/release":  nil,
	"xmrfleet/cmd/internal/labtest":  {"xmrfleet/cmd/internal/lab", "xmrfleet/cmd/internal/release", "xmrfleet/hcl/hcltest"},
	"xmrfleet/cmd/labctl":            {"xmrfleet/cmd/internal/lab"},
	"xmrfleet/cmd/xmrig-pack":        {"xmrfleet/cmd/internal/release"},
	"xmrfleet/cmd/xmrig-sim":         {"xmrfleet/cmd/internal/recorded"},
	"xmrfleet/cmd/terminal-svg":      nil,
	"xmrfleet/cmd/bench": {
		"xmrfleet/executor", "xmrfleet/hcl/hcltest", "xmrfleet/cmd/internal/lab", "xmrfleet/cmd/internal/release",
	},
	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest": {
		"xmrfleet/cmd/internal/recorded", "xmrfleet/cmd/xmrig-orchestrator/internal/health",
		"xmrfleet/cmd/xmrig-orchestrator/internal/store", "xmrfleet/modules/agent",
	},
	"xmrfleet/cmd/xmrig-orchestrator/watchdog-sim": {
		"xmrfleet/cmd/xmrig-orchestrator/internal/health", "xmrfleet/cmd/xmrig-orchestrator/internal/miner",
		"xmrfleet/cmd/xmrig-orchestrator/internal/systemd", "xmrfleet/modules/agent",
	},
}

// only says which package alone may import a module, and why.
var only = map[string]struct{ importer, why string }{
	"github.com/hashicorp/hcl/": {"xmrfleet/hcl", "one package reads fleet files"},
	"github.com/zclconf/":       {"xmrfleet/hcl", "one package evaluates expressions"},
}

func TestLayers(t *testing.T) {
	imports := make(map[string][]string)
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "xmrfleet/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		imports[words[0]] = words[1:]
	}
	for name := range layers {
		if _, ok := imports[name]; !ok {
			t.Errorf("%s has a row and does not exist", name)
		}
	}
	for name, imported := range imports {
		row, shipped := layers[name]
		if tool, ok := tools[name]; ok {
			row = tool
		} else if !shipped {
			t.Errorf("%s is neither in layers nor in tools: what may it import?", name)
			continue
		}
		for _, other := range imported {
			_, tool := tools[other]
			switch {
			case shipped && tool:
				t.Errorf("%s imports %s, which is for tests and never shipped", name, other)
			case strings.HasPrefix(other, "xmrfleet/") && !slices.Contains(row, other) && !slices.Contains(everywhere, other):
				t.Errorf("%s imports %s", name, other)
			}
			for module, rule := range only {
				if strings.HasPrefix(other, module) && name != rule.importer {
					t.Errorf("%s imports %s, but %s", name, other, rule.why)
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
