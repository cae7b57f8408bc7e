package hcl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"xmrfleet/hcl"
	"xmrfleet/hcl/hcltest"
	"xmrfleet/modules"
)

const wallet = hcltest.Wallet

// minimal is what every fleet needs besides its hosts.
var minimal = fmt.Sprintf(`
wallet = %q
pool "p" { url = "pool.example.org:443" }
xmrig {
  version = "6.26.0"
  sha256  = "%064x"
}
`, wallet, 10)

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleet.hcl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

func TestExample(t *testing.T) {
	const path = "../fleet.hcl"
	sum := strings.Repeat("5", 64)
	fleet, diags := hcl.Load(path, hcl.Options{
		Vars: map[string]string{"xmrig_sha256": sum},
		Env:  environment(map[string]string{"MONERO_WALLET": wallet}),
	})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	want := map[string]int{"mini-1": 50, "miner-beta": 75, "miner-gamma": 25, "miner-delta": 25}
	got := map[string]int{}
	for _, h := range fleet.Hosts {
		got[h.Name] = h.Miner.XMRig.MaxThreadsHint
		if h.Miner.XMRig.State != modules.StateRunning || h.Miner.XMRig.SHA256 != sum || h.Miner.Wallet.Reveal() != wallet {
			t.Errorf("%s: got %+v", h.Name, h.Miner)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	if _, diags = hcl.Load(path, hcl.Options{}); len(diags) != 2 {
		t.Errorf("without anything from outside: got\n%v\nwant two errors", diags)
	}

	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if formatted, _ := hcl.Format(path, src); string(formatted) != string(src) {
		t.Errorf("the example is not formatted:\n%s", formatted)
	}
}

func TestSource(t *testing.T) {
	local := write(t, "")
	dir := filepath.Dir(local)
	for source, want := range map[string]string{
		"archives/xmrig.tar.gz":            filepath.Join(dir, "archives/xmrig.tar.gz"),
		"/srv/xmrig.tar.gz":                "/srv/xmrig.tar.gz",
		"https://example.org/xmrig.tar.gz": "https://example.org/xmrig.tar.gz",
		"ftp://example.org/xmrig.tar.gz":   "",
		"https://a:b@example.org/x":        "",
		"https://":                         "",
		"-x":                               "",
		"":                                 "",
	} {
		text := minimal + fmt.Sprintf("host \"a\" {\n xmrig {\n source = %q\n }\n}\n", source)
		if err := os.WriteFile(local, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fleet, diags := hcl.Load(local, hcl.Options{})
		switch {
		case want == "" && (fleet != nil || len(diags) != 1):
			t.Errorf("source %q was accepted, or more than one error given: %v", source, diags)
		case want != "" && fleet == nil:
			t.Errorf("source %q: %v", source, diags)
		case want != "" && fleet.Hosts[0].Miner.XMRig.Source != want:
			t.Errorf("source %q: got %q, want %q", source, fleet.Hosts[0].Miner.XMRig.Source, want)
		}
	}
}

func TestSecretValues(t *testing.T) {
	for _, s := range samples(t, "good") {
		if filepath.Base(s.path) != "secrets.txtar" {
			continue
		}
		fleet, diags := s.load(t)
		if fleet == nil {
			t.Fatal(diags)
		}
		m := fleet.Hosts[0].Miner
		for want, got := range map[string]modules.Value{
			wallet:                 m.Wallet,
			"hunter2-pass":         m.Pools[0].Pass,
			"hunter2-token.mini-1": m.Pools[0].User,
			"hunter2-token":        m.XMRig.AccessToken,
			"hunter2-agent-12":     m.XMRig.Config["user-agent"].(modules.Value),
		} {
			if got.Reveal() != want || !got.IsSecret() {
				t.Errorf("got %q, secret: %v; want %q", got.Reveal(), got.IsSecret(), want)
			}
		}
		want := []string{wallet, "hunter2-token.mini-1", "hunter2-agent-12", "hunter2-agent", "hunter2-token", "hunter2-pass"}
		if !reflect.DeepEqual(fleet.Secrets, want) {
			t.Errorf("secrets: got %q, want %q", fleet.Secrets, want)
		}
		return
	}
	t.Fatal("no sample secrets.txtar")
}

// TestFunctions evaluates expressions in the one attribute that takes any word.
func TestFunctions(t *testing.T) {
	env := map[string]string{"HOME": "/home/deploy", "EMPTY": ""}
	for expr, want := range map[string]string{
		`env("HOME")`:                   "/home/deploy",
		`env("HOME", "x")`:              "/home/deploy",
		`env("NO", "fallback")`:         "fallback",
		`"x${env("EMPTY")}"`:            "x",
		`try(env("NO"), "tried")`:       "tried",
		`can(env("NO")) ? "yes" : "no"`: "no",
		`"${length("äöü")}${length([1])}${length({a = 1})}"`: "311",
		`format("%s-%03d", lower("A"), 7)`:                   "a-007",
		`join(",", [for i in range(3) : "h${i}"])`:           "h0,h1,h2",
		`lookup(merge({ a = "1" }, { a = "2" }), "a", "")`:   "2",
		`replace("a.b", "/[.]/", "-")`:                       "a-b",
		`replace("a.b", ".", "-")`:                           "a-b",
		`base64decode(base64encode("x/y"))`:                  "x/y",
		`cidrhost("10.0.0.0/30", 3)`:                         "10.0.0.3",
		`cidrhost("10.0.0.0/24", -1)`:                        "10.0.0.255",
		`cidrhost("fd00::/64", 256)`:                         "fd00::100",
		`yamldecode("a: [b]").a[0]`:                          "b",
		`jsondecode(jsonencode({ a = ["b"] })).a[0]`:         "b",
		`trimspace(file("note"))`:                            "noted",
		`regex("[0-9]+", "rig42")`:                           "42",
		`element(sort(distinct(["b", "a", "b"])), 0)`:        "a",
		`host.name`: "mini-1",
		`issensitive(sensitive(1)) ? "yes" : "no"`: "yes",
		`nonsensitive(sensitive("shown"))`:         "shown",
		`coalesce(null, "c")`:                      "c",
		`zipmap(["a"], ["z"])["a"]`:                "z",
	} {
		path := write(t, minimal+"host \"mini-1\" {\n  worker = "+expr+"\n}\n")
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "note"), []byte("noted\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		fleet, diags := hcl.Load(path, hcl.Options{Env: environment(env)})
		if fleet == nil {
			t.Errorf("%s: %v", expr, diags)
		} else if got := fleet.Hosts[0].Miner.Worker; got != want {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	for expr, want := range map[string]string{
		`env("NO")`:                       `The environment variable NO is not set; env("NO", "...") gives a default.`,
		`file("none")`:                    `none: no such file or directory`,
		`base64decode("/w==")`:            `not UTF-8`,
		`cidrhost("10.0.0.0/30", 4)`:      `the network has no host of that number`,
		`cidrhost("10.0.0.0/30", 0.5)`:    `the network has no host of that number`,
		`cidrhost("10.0.0.0", 1)`:         `the prefix is not a network`,
		`uper("x")`:                       `There is no function "uper". Did you mean "upper"?`,
		`parseint("x1z", 10)`:             `x1z`, // not sensitive: shown
		`"${host.name} and more"`:         `must be a text without spaces`,
		`[for h in ["a"] : host.name][1]`: `The given key does not identify an element`,
	} {
		fleet, diags := hcl.Load(write(t, minimal+"host \"mini-1\" {\n  worker = "+expr+"\n}\n"), hcl.Options{})
		if fleet != nil || len(diags) != 1 || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: got\n%v\nwant one error with %q", expr, diags, want)
		}
	}
}

func TestVariables(t *testing.T) {
	const text = `
variable "s" {
  type    = string
  default = "default"
}
variable "list" {
  type    = list(object({ name = string, n = optional(number, 5) }))
  default = [{ name = "d" }]
}
host "mini-1" {
  worker = "${var.s}-${var.list[0].name}-${var.list[0].n}"
}
`
	for _, row := range []struct {
		name      string
		vars, env map[string]string
		want      string
	}{
		{"default", nil, nil, "default-d-5"},
		{"environment", nil, map[string]string{"XMRFLEET_VAR_s": "env"}, "env-d-5"},
		{"flag wins", map[string]string{"s": "flag"}, map[string]string{"XMRFLEET_VAR_s": "env"}, "flag-d-5"},
		{"expression", map[string]string{"list": `[{name = "x", n = 7}]`}, nil, "default-x-7"},
		{"taken as it is", map[string]string{"s": `"${q}"`}, nil, `"${q}"-d-5`},
	} {
		fleet, diags := hcl.Load(write(t, minimal+text), hcl.Options{Vars: row.vars, Env: environment(row.env)})
		if fleet == nil {
			t.Errorf("%s: %v", row.name, diags)
		} else if got := fleet.Hosts[0].Miner.Worker; got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	_, diags := hcl.Load(write(t, minimal+text), hcl.Options{Vars: map[string]string{"lits": "[]", "list": "file("}})
	want := `Undeclared variable; The file declares no variable "lits", but a value was given with --var. Did you mean "list"?`
	if len(diags) != 2 || diags[0].String() != want {
		t.Errorf("got\n%v\nwant two errors, the first\n%s", diags, want)
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "fleet.hcl"): "No fleet file; Open " + dir + "/fleet.hcl: no such file or directory. Run in the directory of fleet.hcl, or name it with --file.",
		dir:                             "No fleet file; Read " + dir + ": is a directory. Run in the directory of fleet.hcl, or name it with --file.",
	} {
		fleet, diags := hcl.Load(path, hcl.Options{})
		if fleet != nil || diags.Error() != want {
			t.Errorf("got %q, want %q", diags.Error(), want)
		}
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "\ufeff"} {
		fleet, diags := hcl.Load(write(t, empty), hcl.Options{})
		if fleet != nil || !strings.Contains(diags.Error(), "No hosts") {
			t.Errorf("file %q: got %v", empty, diags)
		}
	}
}

func thousand() string {
	return minimal + `
hosts = [for i in range(500) : "rig-${i}"]
group "all" {
  xmrig {
    config = { user-agent = "rig ${host.name}" }
  }
  agent { hostname = "${host.name}.example.org" }
}
` + strings.Join(func() []string {
		var blocks []string
		for i := range 500 {
			blocks = append(blocks, fmt.Sprintf("host \"miner-%d\" {\n  groups = [\"all\"]\n  xmrig { max_threads_hint = %d }\n}\n", i, i%100+1))
		}
		return blocks
	}(), "")
}

func TestThousandHosts(t *testing.T) {
	path := write(t, thousand())
	start := time.Now()
	fleet, diags := hcl.Load(path, hcl.Options{})
	if len(diags) > 0 || len(fleet.Hosts) != 1000 {
		t.Fatal(diags)
	}
	if took := time.Since(start); took > 5*time.Second { // 0.1 s on an idle machine
		t.Errorf("took %v", took)
	}
	if h := fleet.Hosts[7]; h.Miner.Agent.Hostname != "miner-7.example.org" || h.Miner.XMRig.Config["user-agent"] != "rig miner-7" {
		t.Errorf("got %+v", h.Miner)
	}
}

func BenchmarkThousandHosts(b *testing.B) {
	path := write(b, thousand())
	for b.Loop() {
		if fleet, diags := hcl.Load(path, hcl.Options{}); fleet == nil {
			b.Fatal(diags)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		paths, _ := filepath.Glob(filepath.Join("../testdata/fleets", folder, "*.txtar"))
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			_, after, _ := strings.Cut(string(text), "-- fleet.hcl --\n")
			text2, _, _ := strings.Cut(after, "-- want --\n")
			f.Add(text2)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, fmt.Sprintf("%d.hcl", os.Getpid()))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fleet, diags := hcl.Load(path, hcl.Options{})
		if (fleet == nil) != diags.HasErrors() {
			t.Errorf("fleet %v with %v", fleet, diags)
		}
		if err := diags.Write(new(strings.Builder), 80, true); err != nil {
			t.Error(err)
		}
		formatted, diags := hcl.Format(path, []byte(text))
		if !diags.HasErrors() {
			if again, diags := hcl.Format(path, formatted); diags.HasErrors() {
				t.Errorf("formatted text does not parse: %s\n%v", again, diags)
			}
		}
	})
}
