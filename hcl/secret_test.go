package hcl_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/hcl"
)

// shown is all that a program could print of diagnostics.
func shown(t *testing.T, diags hcl.Diagnostics) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := diags.Write(&out, 80, true); err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(diags.Report())
	if err != nil {
		t.Fatal(err)
	}
	return append(append(out.Bytes(), all...), diags.Error()...)
}

// TestSecretsOfBrokenFiles cuts a file full of secrets, and leaves out each
// quote: no message may quote a secret, though the parser lost its way.
func TestSecretsOfBrokenFiles(t *testing.T) {
	for _, s := range samples(t, "bad") {
		if filepath.Base(s.path) != "secrets.txtar" {
			continue
		}
		text := string(s.archive.Files[0].Data)
		for i := range text {
			s.archive.Files[0].Data = []byte(text[:i])
			check(t, s)
			if strings.ContainsRune(`"{}()=$`, rune(text[i])) {
				s.archive.Files[0].Data = []byte(text[:i] + text[i+1:])
				check(t, s)
			}
		}
		return
	}
	t.Fatal("no sample secrets.txtar")
}

func check(t *testing.T, s sample) {
	t.Helper()
	_, diags := hcl.Load(write(t, string(s.archive.Files[0].Data)), s.opts)
	for line := range bytes.Lines(shown(t, diags)) {
		if bytes.Contains(line, []byte("hunter2")) {
			t.Fatalf("a secret is shown: %s\nfile:\n%s", line, s.archive.Files[0].Data)
		}
	}
}
