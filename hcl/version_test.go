package hcl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/hcl"
	"xmrfleet/hcl/hcltest"
)

func TestRequiredVersion(t *testing.T) {
	for _, test := range []struct{ wanted, is, want string }{
		{">= 0.3", "0.3.0", ""},
		{">= 0.3, < 1.0", "v0.9.1-12-g5f3c2aa", ""},
		{">= 0.3", "v0.3.0-4-g5f3c2aa-dirty", ""},
		{">= 0.3", "0.2.9", "error: Another xmrfleet is required: This is xmrfleet 0.2.9, and the fleet file requires >= 0.3."},
		{"~> 1.2", "2.0.0", "error: Another xmrfleet is required: This is xmrfleet 2.0.0, and the fleet file requires ~> 1.2."},
		{">= 0.3", "dev", "warning: Version not checked: This xmrfleet is a build without a version (dev), so it is not known whether it is >= 0.3."},
		{"new", "1.0.0", `error: Invalid version constraint: Want something like ">= 1.2, < 2.0".`},
	} {
		path := filepath.Join(t.TempDir(), "fleet.hcl")
		text := "required_version = \"" + test.wanted + "\"\nwallet = \"" + hcltest.Wallet + "\"\npool \"p\" { url = \"a.b:1\" }\n" +
			"xmrig { install = \"existing\" }\nhost \"a\" {}\n"
		if strings.HasPrefix(test.want, "error: Another") {
			text += "from_the_future = 1\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		_, diags := hcl.Load(path, hcl.Options{Version: test.is})
		for _, d := range diags {
			got = append(got, string(d.Severity)+": "+d.Summary+": "+d.Detail)
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%s by %s:\n got %q\nwant %q", test.wanted, test.is, got, test.want)
		}
	}
}
