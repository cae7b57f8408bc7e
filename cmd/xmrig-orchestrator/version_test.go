package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/golden"
)

// Where the agent's version stands, and which sources had it.
const (
	versionFile = "../../modules/agent/version.go"
	sourcesFile = "testdata/version"
)

// TestVersion holds that the agent's version changes when, and only when, what
// it is built from does. It raises the version where expected texts are to be
// written.
func TestVersion(t *testing.T) {
	record, err := os.ReadFile(sourcesFile)
	if err != nil {
		t.Fatal(err)
	}
	var version, sum string
	if n, _ := fmt.Sscan(string(record), &version, &sum); n != 2 {
		t.Fatalf("%s: %q", sourcesFile, record)
	}
	now := sources(t)
	switch {
	case now == sum && version == agent.Version:
	case golden.Updating():
		raise(t, version, now != sum, now)
	case now == sum:
		t.Errorf("the agent's sources are those of version %s, and it calls itself %s", version, agent.Version)
	default:
		t.Errorf("the agent's sources are not those of version %s any more; UPDATE_GOLDEN=1 raises it", version)
	}
}

// raise writes the version that follows, if it is another one.
func raise(t *testing.T, version string, other bool, sum string) {
	t.Helper()
	if other {
		var major, minor, patch int
		if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
			t.Fatal(err)
		}
		version = fmt.Sprintf("%d.%d.%d", major, minor, patch+1)
	}
	text, err := os.ReadFile(versionFile)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(Version = )"[^"]*"`).ReplaceAll(text, []byte(`${1}"`+version+`"`))
	err = errors.Join(os.WriteFile(versionFile, text, 0o644), os.WriteFile(sourcesFile, []byte(version+" "+sum+"\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the agent is version %s now", version)
}

// sources is the checksum of all that the agent is built from: our files, but
// for the version itself, and the versions of modules, language and compiler.
func sources(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, arch := range []string{"amd64", "arm64"} {
		list := exec.Command("go", "list", "-deps", "-json=Dir,GoFiles,SFiles,EmbedFiles,Standard,Module", ".")
		list.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for d := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				Dir                         string
				GoFiles, SFiles, EmbedFiles []string
				Standard                    bool
				Module                      *struct{ Path, Version, GoVersion string }
			}
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			switch {
			case p.Standard:
			case p.Module.Version != "":
				lines = append(lines, p.Module.Path+" "+p.Module.Version)
			default:
				lines = append(lines, p.Module.Path+" go "+p.Module.GoVersion)
				for _, name := range slices.Concat(p.GoFiles, p.SFiles, p.EmbedFiles) {
					lines = append(lines, checksum(t, filepath.Join(p.Dir, name)))
				}
			}
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	lines = append(lines, string(regexp.MustCompile(`(?m)^toolchain .*$`).Find(mod)))
	slices.Sort(lines)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\n"))))
}

// checksum is of one of our files, with its path in the repository.
func checksum(t *testing.T, path string) string {
	t.Helper()
	if same, err := filepath.Abs(versionFile); err != nil || same == path {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %x", filepath.ToSlash(name), sha256.Sum256(text))
}
