package roster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrfleet/cache"
	"xmrfleet/hcl"
)

func TestUnnamed(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "fleet.hcl")
	host := func(name, address string) hcl.Host { return hcl.Host{Name: name, Address: address} }
	unnamed := func(fleet hcl.Fleet) string {
		fleet.Path = file
		var names []string
		for _, h := range Unnamed(&fleet, nil) {
			names = append(names, h.Name)
		}
		return strings.Join(names, " ")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(Update(file, []hcl.Host{host("d", ""), host("a", ""), host("b", "10.0.0.2"), host("c", "")}, nil))
	must(Update(file, []hcl.Host{host("a", "")}, nil))
	for _, test := range []struct {
		fleet hcl.Fleet
		want  string
	}{
		{hcl.Fleet{Hosts: []hcl.Host{host("a", ""), host("b", ""), host("c", ""), host("d", "")}}, ""},
		{hcl.Fleet{Hosts: []hcl.Host{host("a", ""), host("c", "")}}, "b d"},
		{hcl.Fleet{Hosts: []hcl.Host{host("a", "")}, Removed: []hcl.Host{host("c", "")}}, "b d"},
		{hcl.Fleet{Hosts: []hcl.Host{host("a", ""), host("c", ""), host("new", "10.0.0.2")}}, "d"},
	} {
		if got := unnamed(test.fleet); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.fleet, got, test.want)
		}
	}
	must(Update(file, nil, []string{"d"}))
	must(Forget(file, []string{"b"}))
	if got := unnamed(hcl.Fleet{}); got != "a c" {
		t.Errorf("got %s", got)
	}
	if err := Forget(file, []string{"b"}); err == nil || !strings.HasPrefix(err.Error(), "forget b: no such host of ") {
		t.Errorf("got %v", err)
	}
	path, err := cache.Path(kind, file)
	must(err)
	must(os.WriteFile(path, []byte("x"), 0o600))
	if got := unnamed(hcl.Fleet{}); got != "" {
		t.Errorf("of a damaged record: %s", got)
	}
	if err := Forget(file, []string{"b"}); err == nil || !strings.HasSuffix(err.Error(), " is damaged") {
		t.Errorf("got %v", err)
	}
	must(Update(file, []hcl.Host{host("a", "")}, nil))
}

// TestCommitted asks a repository for what the fleet file was.
func TestCommitted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "fleet.hcl")
	texts := func() string {
		var all []string
		for _, text := range Committed(file) {
			all = append(all, string(text))
		}
		return strings.Join(all, "|")
	}
	if got := texts(); got != "" {
		t.Errorf("without a repository: %q", got)
	}
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
	git("init", "-q")
	if got := texts(); got != "" {
		t.Errorf("without a commit: %q", got)
	}
	for i, text := range []string{"one", "two", "three"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "-q", "-m", text)
		if got, want := texts(), []string{"one", "two|one", "three|two"}[i]; got != want {
			t.Errorf("after %s: %q, want %q", text, got, want)
		}
	}

	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	fleet := func(names ...string) *hcl.Fleet {
		f := &hcl.Fleet{Path: file}
		for _, name := range names {
			f.Hosts = append(f.Hosts, hcl.Host{Name: name})
		}
		return f
	}
	if got := Unnamed(fleet("a"), []*hcl.Fleet{fleet("a", "b"), fleet("b", "c")}); len(got) != 2 || got[0].Name != "b" || got[1].Name != "c" {
		t.Errorf("unnamed: %+v", got)
	}
}
