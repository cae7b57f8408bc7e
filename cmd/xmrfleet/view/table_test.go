package view

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReference holds README.md's reference of the JSON lines and the table to
// each other: every type, and every field of it.
func TestReference(t *testing.T) {
	described := reference(t)
	if readme, want := readmeText(t), "`ui` (of this format: `"+JSONVersion+"`)"; !strings.Contains(readme, want) {
		t.Errorf("README.md does not say %s", want)
	}
	for _, row := range table {
		want := strings.Join(jsonNames(row.fields), " ")
		got, ok := described[row.name]
		if !ok {
			t.Errorf("README.md does not know the type %s", row.name)
		} else if strings.Join(got, " ") != want {
			t.Errorf("README.md on %s\n got %s\nwant %s", row.name, strings.Join(got, " "), want)
		}
		delete(described, row.name)
	}
	for name := range described {
		t.Errorf("README.md knows the type %s, which does not exist", name)
	}
}

// jsonNames are the names of a struct's fields in JSON, in any order but
// always the same.
func jsonNames(s reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(s) {
		tag, hasTag := f.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		if f.Anonymous && !hasTag || name == "-" || !f.IsExported() {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var (
	quotedName = regexp.MustCompile("`([a-z_]+)`")
	inBrackets = regexp.MustCompile(`\([^)]*\)`)
	borrowed   = regexp.MustCompile("those of `([a-z_]+)`")
)

func readmeText(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(readme)
}

// reference reads the table: types, when they come, and their fields. Several
// types of a row have the same fields, or those between semicolons. What stands
// in brackets is about the field before them.
func reference(t *testing.T) map[string][]string {
	t.Helper()
	_, rows, found := strings.Cut(readmeText(t), "| type | when | further fields |\n|---|---|---|\n")
	if !found {
		t.Fatal("README.md has no reference")
	}
	fields := make(map[string][]string)
	for row := range strings.Lines(rows) {
		cells := strings.Split(strings.TrimSpace(row), "|")
		if len(cells) < 5 { // before the first bar and behind the last one is nothing
			break
		}
		kinds := quotedName.FindAllStringSubmatch(cells[1], -1)
		lists := strings.Split(inBrackets.ReplaceAllString(cells[3], ""), ";")
		for i, kind := range kinds {
			list := lists[min(i, len(lists)-1)]
			var names []string
			if from := borrowed.FindStringSubmatch(list); from != nil {
				names = slices.Clone(fields[from[1]])
				list = strings.Replace(list, from[0], "", 1)
			}
			for _, name := range quotedName.FindAllStringSubmatch(list, -1) {
				names = append(names, name[1])
			}
			slices.Sort(names)
			fields[kind[1]] = names
		}
	}
	if len(fields) < 30 {
		t.Fatal(fmt.Sprint("README.md describes only ", fields))
	}
	return fields
}
