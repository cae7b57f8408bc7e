package hcl_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"xmrfleet/hcl"
	"xmrfleet/modules/golden"
)

// A sample is a fleet in an archive of testdata/fleets. Lines of its comment
// that start with "    env" or "    var" set what comes from outside.
type sample struct {
	path    string
	archive *txtar.Archive
	opts    hcl.Options
}

func samples(t *testing.T, folder string) []sample {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../testdata/fleets", folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples in %s: %v", folder, err)
	}
	var out []sample
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if path, err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
		s := sample{path: path, archive: archive, opts: hcl.Options{Vars: map[string]string{}}}
		env := map[string]string{}
		for line := range strings.Lines(string(archive.Comment)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line[min(8, len(line)):]), "=")
			switch {
			case strings.HasPrefix(line, "    env "):
				env[name] = value
			case strings.HasPrefix(line, "    var "):
				s.opts.Vars[name] = value
			}
		}
		s.opts.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
		out = append(out, s)
	}
	return out
}

// load writes the files of the archive and reads the fleet among them.
func (s sample) load(t *testing.T) (*hcl.Fleet, hcl.Diagnostics) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range s.archive.Files {
		if strings.HasPrefix(f.Name, "want") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return hcl.Load("fleet.hcl", s.opts)
}

// compare holds text against the file of that name in the archive.
func (s sample) compare(t *testing.T, name, got string) {
	t.Helper()
	golden.Member(t, s.path, name, got)
}

func TestBad(t *testing.T) {
	for _, s := range samples(t, "bad") {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			fleet, diags := s.load(t)
			if fleet != nil || diags.Err() == nil {
				t.Error("the fleet was accepted")
			}
			var out bytes.Buffer
			if err := diags.Write(&out, 80, false); err != nil {
				t.Fatal(err)
			}
			s.compare(t, "want", out.String())

			all, err := json.Marshal(diags.Report())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, diags.Error()...)
			all = append(all, out.Bytes()...)
			if i := bytes.Index(bytes.ToLower(all), []byte("hunter2")); i >= 0 {
				t.Errorf("a secret is shown: ...%s", all[max(0, i-100):min(len(all), i+50)])
			}
		})
	}
}

func TestGood(t *testing.T) {
	for _, s := range samples(t, "good") {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			fleet, diags := s.load(t)
			if fleet == nil {
				t.Fatal(diags)
			}
			text := describe(t, fleet)
			if strings.Contains(text, "hunter2") {
				t.Error("a secret is shown")
			}
			s.compare(t, "want", diagnosed(diags)+text)
		})
	}
}

func diagnosed(diags hcl.Diagnostics) string {
	if len(diags) == 0 {
		return ""
	}
	return diags.Error() + "\n\n"
}

// describe prints a fleet without what is empty.
func describe(t *testing.T, fleet *hcl.Fleet) string {
	t.Helper()
	data, err := json.Marshal(fleet) //lint:ignore SA1026 no binary is in it
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	data, err = json.MarshalIndent(withoutEmpty(tree), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func withoutEmpty(tree any) any {
	object, ok := tree.(map[string]any)
	if !ok {
		if list, ok := tree.([]any); ok {
			for i := range list {
				list[i] = withoutEmpty(list[i])
			}
		}
		return tree
	}
	for name, value := range object {
		if value == nil && name != "print-time" || value == "" || name == "Pos" {
			delete(object, name)
		} else {
			object[name] = withoutEmpty(value)
		}
	}
	return object
}
