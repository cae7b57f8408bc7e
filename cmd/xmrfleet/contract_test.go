package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"xmrfleet/cmd/xmrfleet/view"
)

// contract CODE PROGRAM COMMAND [ARG...] runs a command line in all formats.
// Each has to end with this exit code, and to print what README.md promises.
func contract(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: contract code program command [arg...]")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	run := func(flags ...string) (stdout, stderr string) {
		line := append(append([]string{args[2]}, flags...), args[3:]...)
		err := ts.Exec(args[1], line...)
		var exit *exec.ExitError
		got := 0
		if errors.As(err, &exit) {
			got, err = exit.ExitCode(), nil
		}
		ts.Check(err)
		if got != code {
			ts.Fatalf("%s: exit code %d, want %d", strings.Join(line, " "), got, code)
		}
		return ts.ReadFile("stdout"), ts.ReadFile("stderr")
	}
	stdout, stderr := run()
	ts.Check(plainText(stdout + stderr))
	stdout, stderr = run("--format", "github")
	ts.Check(plainText(stdout + stderr))
	stdout, stderr = run("--json")
	types, err := jsonLines(stdout, code)
	ts.Check(err)
	if stderr != "" {
		ts.Fatalf("--json leaves standard error to others")
	}
	run("--json-into", "lines")
	into, err := os.ReadFile(ts.MkAbs("lines"))
	ts.Check(err)
	intoTypes, err := jsonLines(string(into), code)
	ts.Check(err)
	if without(types, "log") != without(intoTypes, "log") {
		ts.Fatalf("--json-into has %s, --json %s", intoTypes, types)
	}
	ts.Check(os.Remove(filepath.Join(ts.MkAbs("."), "lines")))
}

// plainText fails if the text does something to a terminal, or tells of a
// panic.
func plainText(text string) error {
	for _, part := range []string{"\x1b", "goroutine ", "panic: ", "%!"} {
		if strings.Contains(text, part) {
			return fmt.Errorf("%q is in the output", part)
		}
	}
	return nil
}

// jsonLines holds what README.md says of every output of JSON lines, and
// returns the types: "mini-1:host_status" where there is a host.
func jsonLines(text string, code int) (types string, err error) {
	type line struct {
		Type, Host string
		Run        string `json:"run_id"`
		Time       string `json:"@timestamp"`
		Level      string `json:"@level"`
		Message    string `json:"@message"`
		UI         string
		Code       *int `json:"exit_code"`
		Outcome    string
	}
	var words []string
	var first, last line
	for text := range strings.Lines(text) {
		var l line
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		if err := d.Decode(&l); err != nil || d.More() || !strings.HasSuffix(text, "}\n") {
			return "", fmt.Errorf("no line of JSON: %q", text)
		}
		if l.Type == "" || l.Run == "" || l.Time == "" || l.Level == "" {
			return "", fmt.Errorf("a field is missing: %s", text)
		}
		if first.Type == "" {
			first = l
		}
		if l.Run != first.Run {
			return "", fmt.Errorf("another run: %s", text)
		}
		last = l
		word := l.Type
		if l.Host != "" {
			word = l.Host + ":" + word
		}
		words = append(words, word)
	}
	types = strings.Join(words, " ")
	switch {
	case first.Type != "version" || first.UI != view.JSONVersion || strings.Count(types, "version") != 1:
		return types, fmt.Errorf("want the version first, got %s", types)
	case last.Type != "run_summary" || strings.Count(types, "run_summary") != 1:
		return types, fmt.Errorf("want the summary last, got %s", types)
	case last.Code == nil || *last.Code != code || last.Outcome != outcomes[code]:
		return types, fmt.Errorf("want exit code %d, %s; got %v, %s", code, outcomes[code], last.Code, last.Outcome)
	}
	return types, nil
}

// without leaves a word out.
func without(words, word string) string {
	var kept []string
	for _, w := range strings.Fields(words) {
		if w != word {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}
