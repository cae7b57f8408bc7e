package hcl_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/hcl"
	"xmrfleet/modules/golden"
)

// printed is a fleet with an error, a warning and a tab.
const printed = "host \"mini-1\" {\n\txmrig {\n\t\tstate = \"stoped\"\n\t}\n}\n"

// here is the folder of the package, before a test goes elsewhere.
func here(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func printedDiagnostics(t *testing.T) hcl.Diagnostics {
	t.Helper()
	t.Chdir(t.TempDir())
	path := write(t, strings.Replace(minimal, "6.26.0", "6.0.0", 1)+printed)
	_, diags := hcl.Load(path, hcl.Options{})
	for i := range diags {
		diags[i].Range.Filename = "fleet.hcl"
	}
	return diags
}

func TestWrite(t *testing.T) {
	folder := here(t)
	diags := printedDiagnostics(t)
	var plain, colour strings.Builder
	diags.Write(&plain, 40, false)
	diags.Write(&colour, 40, true)
	golden.Text(t, filepath.Join(folder, "testdata/golden/diagnostics"), plain.String())
	if !strings.Contains(colour.String(), "\x1b[1;31mError: \x1b[0m\x1b[1mInvalid value\x1b[0m\n") {
		t.Errorf("no colour in\n%q", colour.String())
	}
	stripped := colour.String()
	for _, code := range []string{"\x1b[1;31m", "\x1b[1;33m", "\x1b[1m", "\x1b[0m"} {
		stripped = strings.ReplaceAll(stripped, code, "")
	}
	if stripped != plain.String() {
		t.Errorf("colour changes the text:\n%s", stripped)
	}
}

func TestReport(t *testing.T) {
	folder := here(t)
	got, err := json.MarshalIndent(printedDiagnostics(t).Report(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Text(t, filepath.Join(folder, "testdata/golden/report.json"), string(got)+"\n")
	got, err = json.Marshal(hcl.Diagnostics(nil).Report())
	if want := `{"valid":true,"error_count":0,"warning_count":0,"diagnostics":[]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestControlCharacters(t *testing.T) {
	_, diags := hcl.Load(write(t, minimal+"host \"a\x1b[31m\" {}\n# \x1b\n"), hcl.Options{})
	var out strings.Builder
	diags.Write(&out, 0, false)
	if text := out.String() + diags.Error(); strings.Contains(text, "\x1b") || !strings.Contains(text, `a\u001b[31m`) {
		t.Errorf("got %q", text)
	}
}

func TestFormat(t *testing.T) {
	got, diags := hcl.Format("fleet.hcl", []byte("ssh {\nuser=\"deploy\"\n  identity_file = \"x\"\n}\n"))
	if want := "ssh {\n  user          = \"deploy\"\n  identity_file = \"x\"\n}\n"; string(got) != want || len(diags) > 0 {
		t.Errorf("got %q, %v, want %q", got, diags, want)
	}
	got, diags = hcl.Format("fleet.hcl", []byte("ssh {\n"))
	if got != nil || diags.Err() == nil || !strings.HasPrefix(diags.Error(), "fleet.hcl:1,5-6: ") {
		t.Errorf("got %q, %v", got, diags)
	}
}
