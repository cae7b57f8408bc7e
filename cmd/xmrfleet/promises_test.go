package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promise finds the words by which a text promises something.
var promise = regexp.MustCompile(`(?i)\b(always|never|only|every|same|verified|verifies|tested)\b`)

// A held is a piece of text and the tests that hold it.
type held struct {
	text  string
	tests []string
}

func promises(t *testing.T) []held {
	t.Helper()
	text, err := os.ReadFile("../../testdata/promises.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []held
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, " "):
			all = append(all, held{text: line})
		default:
			all[len(all)-1].tests = strings.Fields(line)
		}
	}
	return all
}

// TestPromises holds that whatever README.md and the manual promise has a test.
// The table is testdata/promises.txt.
func TestPromises(t *testing.T) {
	all := promises(t)
	used := make(map[string]bool)
	for name, text := range map[string]string{"README.md": readme(t), "the manual": manualText(t)} {
		covered := make([]bool, len(text))
		for _, p := range all {
			for at := 0; ; {
				i := strings.Index(text[at:], p.text)
				if i < 0 {
					break
				}
				used[p.text] = true
				for j := range len(p.text) {
					covered[at+i+j] = true
				}
				at += i + len(p.text)
			}
		}
		for _, found := range promise.FindAllStringIndex(text, -1) {
			if !covered[found[0]] {
				t.Errorf("%s promises something that has no row: ...%s...", name, text[max(0, found[0]-60):min(len(text), found[1]+60)])
			}
		}
	}
	tests := knownTests(t)
	for _, p := range all {
		if !used[p.text] {
			t.Errorf("nobody says any more: %s", p.text)
		}
		switch {
		case len(p.tests) == 0:
			t.Errorf("no test holds: %s", p.text)
		case p.tests[0] == "-":
		default:
			for _, test := range p.tests {
				if !slices.Contains(tests, test) {
					t.Errorf("%s: there is no %s", p.text, test)
				}
			}
		}
	}
}

// readme is README.md without its examples, in one line.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	fenced := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if !fenced && !strings.HasPrefix(line, "    ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(strings.Fields(strings.Join(kept, "")), " ")
}

// manualText is the manual without its markup, in one line. It holds all that
// --help says.
func manualText(t *testing.T) string {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := &Program{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Env: os.LookupEnv}
	if code := p.Run(t.Context(), []string{"man"}); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	page, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^\.[A-Z]+ ?`).ReplaceAllString(string(page), "")
	text = strings.NewReplacer(`\-`, "-", `\(aq`, "'", `\(ga`, "`", `\e`, `\`).Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

// knownTests are the names of all tests, those of the lab included.
func knownTests(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("grep", "-rhoE", "--include=*_test.go", "^func Test[A-Za-z0-9_]+", "../..").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(strings.ReplaceAll(string(out), "func ", ""))
}
