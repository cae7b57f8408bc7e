package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// withSecret is a plan with a secret in what it writes.
func withSecret() *Plan {
	return &Plan{Facts: modules.Facts{Hostname: "m", Arch: "x86_64"}, Changes: []Change{
		{Resource: "file /c", Change: modules.Change{Action: modules.Update, Before: "old\n", After: "new\n",
			Steps: []modules.Command{{Script: "cat", Args: []string{"/c"}, Stdin: modules.NewBlob([]byte("canary"))}}}},
		{Resource: "service s", Change: modules.Change{Action: modules.Restart, Reason: "old config", Disruptive: true,
			Steps: []modules.Command{{Script: "restart"}}}},
	}}
}

var someInputs = Inputs{File: []byte("fleet"), Vars: map[string]string{"token": "canary"}, Env: map[string]*string{"UNSET": nil}}

// some are hosts and their plans; a nil plan is of a host that was not read.
type some []struct {
	host string
	plan *Plan
}

func savedIn(t *testing.T, part modules.Part, hosts some) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.json")
	s := NewSaved("dev", "7f3a", part, someInputs)
	for _, h := range hosts {
		s.Add(h.host, h.plan)
	}
	if err := s.Write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) *Saved {
	t.Helper()
	s, err := ReadSaved(file, "dev")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Unlock(someInputs); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlanFile(t *testing.T) {
	part := modules.XMRigPart
	file := savedIn(t, part, some{{"a", withSecret()}, {"b", &Plan{}}, {"c", nil}})
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v, want mode 0600", info.Mode(), err)
	}
	if beside, _ := os.ReadDir(filepath.Dir(file)); len(beside) != 1 {
		t.Errorf("%v is left", beside)
	}
	s := read(t, file)
	if got := strings.Join(s.Names(), " "); got != "a b c" || s.Part != part || len(s.Hosts[0].Changes) != 2 {
		t.Errorf("%+v", s)
	}
	edit := func(f func(*Plan)) *Plan {
		p := withSecret()
		f(p)
		return p
	}
	for name, tt := range map[string]struct {
		host string
		now  *Plan
		want string // of the error
	}{
		"same":          {"a", withSecret(), ""},
		"done since":    {"a", &Plan{}, ""},
		"still nothing": {"b", &Plan{}, ""},
		"kernel":        {"a", edit(func(p *Plan) { p.Facts.Kernel, p.Facts.BootID = "6.2", "x" }), ""},
		"warning":       {"a", edit(func(p *Plan) { p.Warnings = []string{"x"} }), ""},
		"drifted":       {"b", withSecret(), "the host moved: update file /c is new, restart service s is new"},
		"less":          {"a", edit(func(p *Plan) { p.Changes = p.Changes[:1] }), "the host moved: restart service s is gone"},
		"action":        {"a", edit(func(p *Plan) { p.Changes[1].Action = modules.Start }), "the host moved: start service s is new, restart service s is gone"},
		"before":        {"a", edit(func(p *Plan) { p.Changes[0].Before = "older\n" }), "the same changes would do something else now"},
		"reason":        {"a", edit(func(p *Plan) { p.Changes[1].Reason = "x" }), "the same changes would do something else now"},
		"content":       {"a", edit(func(p *Plan) { p.Changes[0].Steps[0].Stdin = modules.NewBlob([]byte("x")) }), "the same changes would do something else now"},
		"argument":      {"a", edit(func(p *Plan) { p.Changes[0].Steps[0].Args = []string{"/d"} }), "the same changes would do something else now"},
		"other machine": {"a", edit(func(p *Plan) { p.Facts.Hostname = "n" }), "the same changes would do something else now"},
		"not read":      {"c", withSecret(), "could not be read when it was made"},
		"not in it":     {"d", withSecret(), "the host is not in it"},
		"swapped":       {"b", edit(func(p *Plan) {}), "the host moved"},
	} {
		err := s.Check(tt.host, tt.now)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (hint.KindOf(err) != Stale || !strings.Contains(err.Error(), tt.want) || hint.Of(err) == ""):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestPlanFileIsOfItsInputs(t *testing.T) {
	file := savedIn(t, "", some{{"a", withSecret()}})
	empty := ""
	for name, in := range map[string]Inputs{
		"file":     {File: []byte("fleet "), Vars: someInputs.Vars, Env: someInputs.Env},
		"variable": {File: someInputs.File, Vars: map[string]string{"token": "other"}, Env: someInputs.Env},
		"set":      {File: someInputs.File, Vars: someInputs.Vars, Env: map[string]*string{"UNSET": &empty}},
	} {
		s, err := ReadSaved(file, "dev")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Unlock(in); hint.KindOf(err) != Stale {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No value is in the file, and two files of the same plan have nothing in
// common that could be compared.
func TestPlanFileTellsNothing(t *testing.T) {
	var prints []string
	for range 2 {
		file := savedIn(t, "", some{{"a", withSecret()}})
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"canary", "old", "new", modules.NewBlob([]byte("canary")).SHA256} {
			if strings.Contains(string(text), value) {
				t.Errorf("%q is in %s", value, text)
			}
		}
		s := read(t, file)
		prints = append(prints, s.Inputs, s.Hosts[0].Fingerprint)
	}
	if prints[0] == prints[2] || prints[1] == prints[3] {
		t.Errorf("fingerprints repeat: %q", prints)
	}
}

func TestPlanFileOfOthers(t *testing.T) {
	file := savedIn(t, "", some{{"a", withSecret()}})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ old, new, want string }{
		"format":   {`"format": 1`, `"format": 2`, "its format is 2, and this xmrfleet reads 1"},
		"tool":     {`"xmrfleet": "dev"`, `"xmrfleet": "v0"`, "xmrfleet v0 made it, and this is dev"},
		"edited":   {`"name": "a"`, `"name": "b"`, "it was edited or damaged"},
		"added":    {`"format": 1,`, `"format": 1, "more": 1,`, "it was edited or damaged"},
		"spaces":   {"\n", " \n", "it was edited or damaged"},
		"cut":      {"}\n", "", "this is no saved plan"},
		"no plan":  {"{", "host {", "this is no saved plan"},
		"checksum": {`"checksum": "`, `"checksum": "0`, "it was edited or damaged"},
	} {
		edited := strings.ReplaceAll(string(text), tt.old, tt.new)
		if edited == string(text) {
			t.Fatalf("%s: there is no %s in %s", name, tt.old, text)
		}
		if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSaved(file, "dev"); err == nil || !strings.Contains(err.Error(), tt.want) || hint.Of(err) == "" {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
