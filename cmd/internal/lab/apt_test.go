package lab

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDebianSources(t *testing.T) {
	etc := t.TempDir()
	for path, text := range map[string]string{
		"sources.list": `# deb http://old.example/debian bookworm main
deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian trixie main
`,
		"sources.list.d/vendor.list": "deb https://vendor.example/apt bookworm stable\n",
		"sources.list.d/debian.sources": `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm sid
Components: main
`,
		"sources.list.d/vendor.sources":       "Types: deb\nURIs: https://vendor.example\nSuites: nodistro\nComponents: main\n",
		"sources.list.d/off.sources.disabled": "Types: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main\n",
	} {
		path = filepath.Join(etc, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := debianSources(etc)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n",
		"Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
	}
	if !slices.Equal(got, want) {
		t.Errorf("debianSources\n got %q\nwant %q", got, want)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{Hosts: nil},
		{Name: "Upper", Hosts: []string{"a"}},
		{Name: "../x", Hosts: []string{"a"}},
		{Hosts: []string{"a", "a"}},
		{Hosts: []string{"a/b"}},
		{Hosts: []string{"a..b"}},
		{Hosts: []string{"-a"}},
	} {
		if o.validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
}
