package view

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules/hint"
)

// told is what people read of events: results, then the rest.
func told(events ...Event) (out, err string) {
	var stdout, stderr bytes.Buffer
	t := &Text{Out: NewPrinter(&stdout, false, 0), Err: NewPrinter(&stderr, false, 0)}
	for _, e := range events {
		t.Report(e)
	}
	return stdout.String(), stderr.String()
}

// jsonOf is the JSON lines of events, without the first.
func jsonOf(events ...Event) string {
	var out bytes.Buffer
	j := NewJSON(&out, "r1", "v1", func() time.Time { return time.Unix(0, 0) })
	out.Reset()
	for _, e := range events {
		j.Report(e)
	}
	return strings.ReplaceAll(out.String(), `"run_id":"r1",`, "")
}

var executions = []HostExec{
	{Host: "m01", Begun: true, Stdout: "active\n"},
	{Host: "odd", Begun: true, Status: 3, Stdout: "in\x1b[2Jactive\nat all\n", Stderr: "a warning\n"},
	{Host: "m02", Begun: true, Stdout: "active\n"},
	{Host: "m03", Begun: true, Stdout: "active\n"},
	{Host: "quiet", Begun: true},
	{Host: "deaf", Begun: true, Status: 3},
	{Host: "dead", Err: hint.WithKind(errors.New("connect 10.0.0.9:22: no route to host"), "unreachable", "is it on?")},
	{Host: "lost", Begun: true, Stdout: "par", Err: hint.WithKind(errors.New("run command: no sign of life for 12s"), "lost", "")},
}

func TestExecuted(t *testing.T) {
	out, err := told(Exec{Hosts: executions, Retry: "xmrfleet exec -l odd,deaf,dead,lost -- x", Took: time.Second})
	check(t, out)
	equal(t, err, "")
}

// What was shown as it came is not shown again.
func TestExecutedShown(t *testing.T) {
	out, err := told(Exec{Hosts: executions[:1], Shown: true})
	equal(t, out+err, "")
	out, err = told(Exec{Hosts: executions[1:2], Shown: true, Took: time.Second})
	equal(t, out, "")
	equal(t, err, "  ! odd  exit 3\n\nExec: exit 0 on 0 of 1 host, exit 3 on 1.    1.0s\n")
}

func TestOutput(t *testing.T) {
	out, err := told(
		Output{Name: Name{Host: "m1", Width: 4}, Text: "one\x1b[0m"},
		Output{Name: Name{Host: "long", Index: 1, Width: 4}, Stderr: true, Text: "two"})
	equal(t, out, "m1    one[0m\n")
	equal(t, err, "long  two\n")
}

func TestExecutedJSON(t *testing.T) {
	check(t, jsonOf(Output{Name: Name{Host: "m1"}, Stderr: true, Text: "oops"}, Exec{Hosts: []HostExec{executions[1], executions[6]}, Took: time.Second}))
}

// A thousand hosts that say the same are two lines.
func TestExecutedOnThousand(t *testing.T) {
	hosts := make([]HostExec, 1000)
	for i := range hosts {
		hosts[i] = HostExec{Host: fmt.Sprintf("m%04d", i+1), Begun: true, Stdout: strings.Repeat("x", 10000) + "\n"}
	}
	hosts[499].Stdout = "odd\n"
	var out string
	cheaply(t, len(hosts), func() { out, _ = told(Exec{Hosts: hosts, Took: time.Second}) })
	equal(t, out, `
  = m[0001-0499], m[0501-1000]    999 hosts, same output
      `+strings.Repeat("x", 10000)+`
  = m0500
      odd

Exec: exit 0 on 1000 of 1000 hosts.    1.0s
`)
}
