package lab

import (
	"fmt"
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
Components: main non-free-firmware

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
	const stanza = "Types: deb\nURIs: http://mirror.example/debian\nSuites: %s\nComponents: main\n"
	for release, want := range map[string][]string{
		"bookworm": {"deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main\n", fmt.Sprintf(stanza, "bookworm bookworm-updates")},
		"bullseye": {"deb [signed-by=/k.gpg] http://mirror.example/debian bullseye main\n", fmt.Sprintf(stanza, "bullseye bullseye-updates")},
		"trixie":   {"deb http://mirror.example/debian trixie main\n"},
	} {
		got, err := debianSources(etc, release)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("debianSources of %s\n got %q\nwant %q", release, got, want)
		}
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
		{Hosts: []string{"a"}, System: System{Release: "buster"}},
	} {
		if o.validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
}
