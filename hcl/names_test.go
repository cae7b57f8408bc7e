package hcl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	t.Setenv("SECRET", "from the environment")
	t.Setenv("XMRFLEET_VAR_site", "from the environment")
	for _, test := range []struct{ name, file, want string }{
		{"blocks", `host "a" {}` + "\n" + `group "office" {}` + "\n" + `host "b" { groups = ["office"] }`, "a b @office"},
		{"a value is missing", `wallet = env("SECRET")` + "\n" + `host "a" { nonsense = 1 }`, "a"},
		{"expression", "variable \"n\" { default = 3 }\nlocals { hosts = [for i in range(var.n) : format(\"rig-%02d\", i)] }\nhosts = local.hosts", "rig-00 rig-01 rig-02"},
		{"expression of addresses", `hosts = { b = "10.0.0.2", a = "10.0.0.1" }`, "a b"},
		{"expression of a file", `hosts = yamldecode(file("deploy.yml")).servers.web.hosts`, "k-1 k-2"},
		{"expression of the environment", "hosts = [env(\"SECRET\")]\nhost \"a\" {}", "a"},
		{"expression of a variable without a value", "variable \"site\" {}\nhosts = [var.site]\nhost \"a\" {}", "a"},
		{"expression of a secret", "variable \"site\" {\n sensitive = true\n default = \"hidden\"\n}\nhosts = [var.site]\nhost \"a\" {}", "a"},
		{"a label is missing", "host {}\nhost \"a\" {}\ngroup \"g\" \"h\" {}", "a"},
		{"not a host name", `host "-rf" {}` + "\n" + `group "a b" {}` + "\n" + `host "a" {}`, "a"},
		{"twice", "host \"a\" {}\nhost \"a\" {}", "a"},
		{"being written", "host \"a\" {}\nhost \"b\" {\n  xmrig {\n", "a b"},
		{"nonsense", "\x00\xff{{{\"", ""},
		{"empty", "", ""},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "fleet.hcl")
		os.WriteFile(path, []byte(test.file), 0o600)
		os.WriteFile(filepath.Join(dir, "deploy.yml"), []byte("servers:\n  web:\n    hosts: [k-1, k-2]\n"), 0o600)
		hosts, groups := Names(path)
		for _, g := range groups {
			hosts = append(hosts, "@"+g)
		}
		if got := strings.Join(hosts, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if hosts, groups := Names(filepath.Join(t.TempDir(), "missing.hcl")); hosts != nil || groups != nil {
		t.Errorf("no file: %v, %v", hosts, groups)
	}
}
