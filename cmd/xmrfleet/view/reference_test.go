package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReference holds that the README knows every type of line.
func TestReference(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`\bkind(?:: |.* = )"([a-z_]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range kind.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(string(readme), "`"+string(m[1])+"`") {
				t.Errorf("README.md does not know the type %s of %s", m[1], file)
			}
		}
	}
	if found < 30 {
		t.Errorf("%d types were found", found)
	}
}
