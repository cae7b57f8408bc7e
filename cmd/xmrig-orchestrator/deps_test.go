package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func goList(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// What is linked costs memory: most of what is resident is code.
func TestDependencies(t *testing.T) {
	forbidden := map[string]string{
		"net/http":                    "3 MB resident; internal/miner has a client",
		"crypto/tls":                  "the agent talks to loopback only",
		"golang.org/x/crypto":         "SSH is the CLI's",
		"github.com/hashicorp/hcl/v2": "fleet.hcl is the CLI's",
		"github.com/alecthomas/kong":  "package flag is enough here",
		"github.com/sourcegraph/conc": "the agent does one thing at a time",
		"charm.land/lipgloss/v2":      "the agent writes to journals and programs",
		"github.com/godbus/dbus/v5":   "0.4 MB resident; systemctl costs nothing between polls",
		"github.com/mattn/go-sqlite3": "needs a C compiler",
		"testing":                     "internal/hosttest is for tests only",
	}
	deps := strings.Split(goList(t, "-deps", "."), "\n")
	for _, dep := range deps {
		for path, why := range forbidden {
			if dep == path || strings.HasPrefix(dep, path+"/") {
				t.Errorf("%s is linked: %s", dep, why)
			}
		}
		own := strings.HasPrefix(dep, "xmrfleet/cmd/xmrig-orchestrator") || dep == "xmrfleet/modules/agent"
		if strings.HasPrefix(dep, "xmrfleet/") && !own {
			t.Errorf("%s is linked: the agent shares only modules/agent with the CLI", dep)
		}
	}
	if !slices.Contains(deps, "modernc.org/sqlite") {
		t.Error("modernc.org/sqlite is not linked: was this list read at all?")
	}
}

// modernc.org/sqlite is translated from C, and works only with the version of
// modernc.org/libc that it was translated against.
func TestLibcPin(t *testing.T) {
	mod := filepath.Join(goList(t, "-m", "-f", "{{.Dir}}", "modernc.org/sqlite"), "go.mod")
	b, err := os.ReadFile(mod)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*modernc\.org/libc (v\S+)`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no modernc.org/libc in %s", mod)
	}
	if got := goList(t, "-m", "-f", "{{.Version}}", "modernc.org/libc"); got != string(m[1]) {
		t.Errorf("modernc.org/libc is %s, but modernc.org/sqlite wants %s", got, m[1])
	}
}
