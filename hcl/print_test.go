package hcl_test

import (
	"encoding/json"
	"strings"
	"testing"

	"xmrfleet/hcl"
)

// printed is a fleet with an error, a warning and a tab.
const printed = "host \"mini-1\" {\n\txmrig {\n\t\tstate = \"stoped\"\n\t}\n}\n"

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
	diags := printedDiagnostics(t)
	const want = `
Warning: Old XMRig

  on fleet.hcl line 5, in xmrig:
   5:   version = "6.0.0"
                  ^^^^^^^

Before version 6.22.2 XMRig sometimes
answers with truncated JSON, which looks
like a dead miner.

Error: Invalid value

  on fleet.hcl line 10, in host "mini-1", xmrig:
  10: 		state = "stoped"
      		        ^^^^^^^^

"state" must be one of "running",
"stopped", "absent". Did you mean
"stopped"?
`
	var plain, colour strings.Builder
	diags.Write(&plain, 40, false)
	diags.Write(&colour, 40, true)
	if got := "\n" + plain.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
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
	const want = `{
  "valid": false,
  "error_count": 1,
  "warning_count": 1,
  "diagnostics": [
    {
      "severity": "warning",
      "summary": "Old XMRig",
      "detail": "Before version 6.22.2 XMRig sometimes answers with truncated JSON, which looks like a dead miner.",
      "range": {
        "filename": "fleet.hcl",
        "start": {
          "line": 5,
          "column": 13,
          "byte": 170
        },
        "end": {
          "line": 5,
          "column": 20,
          "byte": 177
        }
      },
      "snippet": {
        "context": "xmrig",
        "code": "  version = \"6.0.0\"",
        "start_line": 5,
        "highlight_start_offset": 12,
        "highlight_end_offset": 19
      }
    },
    {
      "severity": "error",
      "summary": "Invalid value",
      "detail": "\"state\" must be one of \"running\", \"stopped\", \"absent\". Did you mean \"stopped\"?",
      "range": {
        "filename": "fleet.hcl",
        "start": {
          "line": 10,
          "column": 11,
          "byte": 294
        },
        "end": {
          "line": 10,
          "column": 19,
          "byte": 302
        }
      },
      "snippet": {
        "context": "host \"mini-1\", xmrig",
        "code": "\t\tstate = \"stoped\"",
        "start_line": 10,
        "highlight_start_offset": 10,
        "highlight_end_offset": 18
      }
    }
  ]
}`
	got, err := json.MarshalIndent(printedDiagnostics(t).Report(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
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
