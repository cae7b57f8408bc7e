package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	suites    = []string{suite, suite + "-updates", suite + "-security"}
	oneLine   = regexp.MustCompile(`^deb\s+(\[[^]]*\]\s+)?\S+\s+(\S+)\s+(.*)$`)
	blankLine = regexp.MustCompile(`\n[ \t]*\n`)
)

// debianSources reads the apt sources below etc and returns those of the suite, as
// texts in one of apt's two formats each. Third parties' repositories have no
// component main, and are left out. Without any, mmdebstrap knows a default.
func debianSources(etc string) ([]string, error) {
	lists, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.list"))
	lists = append([]string{filepath.Join(etc, "sources.list")}, lists...)
	var sources []string
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if m := oneLine.FindStringSubmatch(line); m != nil && fromDebian(m[2], m[3]) {
				sources = append(sources, line+"\n")
			}
		}
	}
	stanzas, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.sources"))
	for _, path := range stanzas {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, stanza := range blankLine.Split(string(text), -1) {
			if fromDebian(field(stanza, "Suites"), field(stanza, "Components")) {
				sources = append(sources, strings.TrimSpace(stanza)+"\n")
			}
		}
	}
	return sources, nil
}

func fromDebian(suiteNames, components string) bool {
	names := strings.Fields(suiteNames)
	return len(names) > 0 && slices.Contains(strings.Fields(components), "main") &&
		!slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(suites, name) })
}

func field(stanza, name string) string {
	for line := range strings.Lines(stanza) {
		if key, value, found := strings.Cut(line, ":"); found && strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// acquireOptions are this machine's own settings of how apt reaches a mirror: a
// proxy, or a mirror whose index is allowed to be old.
func acquireOptions(ctx context.Context) ([]byte, error) {
	all, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return nil, fmt.Errorf("apt-config: %w", err)
	}
	var kept []byte
	for line := range bytes.Lines(all) {
		for _, prefix := range []string{"http", "https", "Check-", "Retries"} {
			if bytes.HasPrefix(line, []byte("Acquire::"+prefix)) {
				kept = append(kept, line...)
				break
			}
		}
	}
	return kept, nil
}
