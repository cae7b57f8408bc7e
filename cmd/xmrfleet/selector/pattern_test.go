package selector

import (
	"slices"
	"strings"
	"testing"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

func TestPatterns(t *testing.T) {
	fleet := &hcl.Fleet{Path: "fleet.hcl", Groups: []string{"attic"}}
	for _, name := range strings.Fields("m01 m02 m03 m10 m11 r1-a r1-b r2-a m1") {
		h := hcl.Host{Name: name}
		if strings.HasSuffix(name, "a") {
			h.Groups = []string{"attic"}
		}
		fleet.Hosts = append(fleet.Hosts, h)
	}
	for limit, want := range map[string]string{
		"m01":             "m01",
		"m01,m03":         "m01 m03",
		"m[01-03]":        "m01 m02 m03",
		"m[01-02,10-11]":  "m01 m02 m10 m11",
		"m[01,1]":         "m01 m1",
		"m[1-1]":          "m1",
		"m[10-11],r1-a":   "m10 m11 r1-a",
		"r[1-2]-a":        "r1-a r2-a",
		"r[1-2]-*":        "r1-a r1-b r2-a",
		"r[12]-a":         "r1-a r2-a", // a glob
		"m0[1-2]":         "m01 m02",
		"m[01][0-1]":      "m01 m10 m11", // a glob and a range
		"m[1][0-1]":       "m10 m11",
		"r1-[a-z]":        "r1-a r1-b",
		"@attic,m[01-02]": "m01 m02 r1-a r2-a",
	} {
		hosts, err := Flags{Limit: []string{limit}}.Hosts(fleet, nil)
		var got []string
		for _, h := range hosts {
			got = append(got, h.Name)
		}
		if strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %v, %v, want %s", limit, got, err, want)
		}
	}
	for limit, want := range map[string]string{
		"m[01-04]":                  `select hosts: fleet.hcl has no m04, of "m[01-04]"`,
		"m[01-20]":                  `select hosts: fleet.hcl has no m04, m05, m06, m07, m08, m09, m12, m13 and 7 more, of "m[01-20]"`,
		"m[1-2]":                    `select hosts: fleet.hcl has no m2, of "m[1-2]"`,
		"m[03-01]":                  `select hosts: range [03-01] of "m[03-01]": 03 comes after 01`,
		"m[0-999999999]":            `select hosts: range [0-999999999] of "m[0-999999999]": more than 10000 names`,
		"m[0-9][0-999]x[0-9]":       `select hosts: pattern "m[0-9][0-999]x[0-9]": more than 10000 names`,
		"m[0-99999999999999999999]": `select hosts: range [0-99999999999999999999] of "m[0-99999999999999999999]": more than 10000 names`,
		"m[01":                      `select hosts: bad pattern "m[01"`,
		"m01,":                      `select hosts: a name is empty`,
		"m[,]":                      `select hosts: no host of fleet.hcl fits "m[,]"`,
		"m[01-02]x":                 `select hosts: fleet.hcl has no m01x, m02x, of "m[01-02]x"`,
		"30s":                       `select hosts: fleet.hcl has no host "30s"`,
		"@failde":                   `select hosts: fleet.hcl has no group "failde"`,
	} {
		_, err := Flags{Limit: []string{limit}}.Hosts(fleet, nil)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", limit, err, want)
		}
	}
	for limit, want := range map[string]string{
		"@failde": `did you mean "@failed"?`,
		"30s":     "did you mean --watch=30s?", // status --watch 30s
	} {
		_, err := Flags{Limit: []string{limit}}.Hosts(fleet, nil)
		if got := hint.Of(err); got != want {
			t.Errorf("%s: hint: %q", limit, got)
		}
	}
}

// A group of the file that is called failed is that group.
func TestGroupCalledFailed(t *testing.T) {
	fleet := &hcl.Fleet{Path: "fleet.hcl", Groups: []string{"failed"}, Hosts: []hcl.Host{{Name: "a"}, {Name: "b", Groups: []string{"failed"}}}}
	hosts, err := Flags{Limit: []string{"@failed"}}.Hosts(fleet, nil)
	if err != nil || !slices.EqualFunc(hosts, []string{"b"}, func(h hcl.Host, name string) bool { return h.Name == name }) {
		t.Errorf("got %v, %v", hosts, err)
	}
}
