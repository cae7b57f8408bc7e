package hcl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadKamal(t *testing.T) {
	const read = `yamldecode(file("config/deploy.yml")).servers`
	for _, test := range []struct{ name, file, expression, hosts, err string }{
		{"roles", "service: zen\nservers:\n  web:\n    hosts:\n      - mini-1\n      - 10.0.0.2\n  job:\n    hosts: [job-1]\n", read + ".web.hosts", "mini-1 10.0.0.2", ""},
		{"list in a role", "servers:\n  web:\n    - mini-1\n    - mini-2\n", read + ".web", "mini-1 mini-2", ""},
		{"list", "servers: [mini-1, mini-2]\n", read, "mini-1 mini-2", ""},
		{"tags", "servers:\n  web:\n    hosts:\n      - mini-1: experiment\n      - mini-2: [one, two]\n      - mini-3\n",
			"[for host in " + read + ".web.hosts : try(keys(host)[0], host)]", "mini-1 mini-2 mini-3", ""},
		{"ERB in a value", "image: <%= ENV[\"IMAGE\"] %>\nservers: [mini-1]\n", read, "mini-1", ""},
		{"alias", "x: &hosts [mini-1]\nservers:\n  web:\n    hosts: *hosts\n", read + ".web.hosts", "mini-1", ""},
		{"ERB", "<% require 'x' %>\nservers: [<%= y %>, *]\n", "", "", "it is a template of Ruby, which only Kamal can evaluate"},
		{"no YAML", "servers: [mini-1\n", "", "", "it is no YAML: on line 1, column 1: did not find expected ',' or ']'"},
		{"empty", "", "", "", "it is no YAML: on line 1, column 1: missing start of document"},
		{"no servers", "service: zen\n", "", "", "it has no servers"},
		{"no web", "servers:\n  job: [a]\n  miner: [b]\n", "", "", "its servers have no role web, but job, miner"},
		{"null", "servers:\n  web:\n", "", "", "its servers are no list of hosts"},
		{"text", "servers: mini-1\n", "", "", "its servers are no list of hosts"},
		{"empty list", "servers: []\n", "", "", "its list of hosts is empty"},
		{"number", "servers: [7]\n", "", "", `host number 1 has the name "": it ` + hostNameRule},
		{"ERB in a host", "servers: [mini-1, \"<%= ENV['HOST'] %>\"]\n", "", "", `host number 2 has the name "<%= ENV['HOST'] %>": it ` + hostNameRule},
		{"twice", "servers: [mini-1, mini-1]\n", "", "", "it names the host mini-1 twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			os.Mkdir(filepath.Join(dir, "config"), 0o700)
			path := filepath.Join(dir, "config", "deploy.yml")
			os.WriteFile(path, []byte(test.file), 0o600)
			k, err := ReadKamal(path, "config/deploy.yml")
			if err != nil || test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("got error %v, want %s", err, test.err)
				}
				return
			}
			if k.Expression != test.expression || strings.Join(k.Hosts, " ") != test.hosts {
				t.Errorf("got %s and %q, want %s and %q", k.Expression, k.Hosts, test.expression, test.hosts)
			}
			// The expression gives those very hosts.
			fleet := filepath.Join(dir, "fleet.hcl")
			os.WriteFile(fleet, []byte("hosts = "+k.Expression), 0o600)
			if hosts, _ := Names(fleet); strings.Join(hosts, " ") != test.hosts {
				t.Errorf("%s gives %q", k.Expression, hosts)
			}
		})
	}
	if _, err := ReadKamal(filepath.Join(t.TempDir(), "missing"), "x"); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("a missing file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "deploy.yml")
	os.WriteFile(path, []byte("servers: [a]"), 0o600)
	if k, err := ReadKamal(path, `a"${b}.yml`); err != nil || k.Expression != `yamldecode(file("a\"$${b}.yml")).servers` {
		t.Errorf("an odd name: %s, %v", k.Expression, err)
	}
}
