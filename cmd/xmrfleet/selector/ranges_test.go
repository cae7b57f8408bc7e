package selector

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for hosts, want := range map[string]string{
		"a":                            "a",
		"mini-1 miner-beta":            "mini-1, miner-beta",
		"m1 m2":                        "m1, m2",
		"m1 m2 m3":                     "m[1-3]",
		"m8 m9 m10 m11":                "m[8-11]",
		"m08 m09 m10 m11":              "m[08-11]",
		"m98 m99 m100":                 "m[98-100]",
		"m098 m099 m100 m101":          "m[098-101]",
		"m1 m2 m3 m5 m6 m7 x":          "m[1-3], m[5-7], x",
		"m3 m2 m1":                     "m3, m2, m1",
		"m01 m2 m3":                    "m01, m2, m3",
		"r1-1 r1-2 r1-3 r2-1":          "r1-[1-3], r2-1",
		"1 2 3":                        "[1-3]",
		"m1 m2 m3.example":             "m1, m2, m3.example",
		"m99999999998 m99999999999 mx": "m99999999998, m99999999999, mx",
	} {
		got := Names(strings.Fields(hosts))
		if got != want {
			t.Errorf("%s: got %s, want %s", hosts, got, want)
		}
		// What is written is understood.
		var back []string
		for _, pattern := range patterns(strings.ReplaceAll(got, ", ", ",")) {
			names, err := expand(pattern)
			if err != nil {
				t.Fatal(err)
			}
			back = append(back, names...)
		}
		if !slices.Equal(back, strings.Fields(hosts)) {
			t.Errorf("%s is read as %s, was %s", got, back, hosts)
		}
	}
}
