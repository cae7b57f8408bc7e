package lab

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	oneLine   = regexp.MustCompile(`^deb\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$`)
	blankLine = regexp.MustCompile(`\n[ \t]*\n`)
)

// debianSources reads the apt sources below etc and returns those of a release, as
// texts in one of apt's two formats each. A machine that has another release of
// Debian tells where its mirror is, which has them all. Third parties'
// repositories have no component main, and are left out. Without any, mmdebstrap
// knows a default.
func debianSources(etc, release string) ([]string, error) {
	sources, err := sourcesOf(etc, release, release)
	for _, other := range slices.Sorted(maps.Keys(releases)) {
		if len(sources) == 0 && err == nil {
			sources, err = sourcesOf(etc, other, release)
		}
	}
	return sources, err
}

// sourcesOf returns the sources of one release, made into those of another one.
func sourcesOf(etc, from, to string) ([]string, error) {
	lists, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.list"))
	lists = append([]string{filepath.Join(etc, "sources.list")}, lists...)
	var sources []string
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if m := oneLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil && fromDebian(from, m[3], m[4]) {
				sources = append(sources, "deb "+m[1]+m[2]+" "+strings.Replace(m[3], from, to, 1)+" main\n")
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
			if suites := field(stanza, "Suites"); fromDebian(from, suites, field(stanza, "Components")) {
				stanza = withField(stanza, "Suites", strings.TrimRight(strings.ReplaceAll(suites, from, to), "\n"))
				sources = append(sources, strings.TrimSpace(withField(stanza, "Components", " main"))+"\n")
			}
		}
	}
	return sources, nil
}

func fromDebian(release, suiteNames, components string) bool {
	names, suites := strings.Fields(suiteNames), []string{release, release + "-updates", release + "-security"}
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

// withField is the stanza with another value in a field that it has.
func withField(stanza, name, value string) string {
	var b strings.Builder
	for line := range strings.Lines(stanza) {
		if key, _, found := strings.Cut(line, ":"); found && strings.EqualFold(key, name) {
			line = key + ":" + value + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
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
