//go:build lab

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A cell is a command line and the exit code that it has to end with.
type cell struct {
	code int
	args []string
}

func cells(code int, lines ...string) []cell {
	list := make([]cell, len(lines))
	for i, line := range lines {
		list[i] = cell{code, strings.Fields(line)}
	}
	return list
}

// in runs the command line with more flags behind the command.
func (c cell) in(f *fleet, flags ...string) outcome {
	f.t.Helper()
	return f.mustRun(c.code, append(append([]string{c.args[0]}, flags...), c.args[1:]...)...)
}

// keeps runs the command line in text with JSON in a file, and in JSON, and holds
// what README.md promises of each.
func (c cell) keeps(f *fleet) {
	f.t.Helper()
	name := strings.Join(c.args, " ")
	if err := plainText(c.in(f, "--json-into", "lines").String()); err != nil {
		f.t.Errorf("%s: %v", name, err)
	}
	o := c.in(f, "--json")
	types, err := jsonLines(o.stdout, c.code)
	if err != nil || o.stderr != "" {
		f.t.Errorf("%s --json: %v: %v", name, err, o)
	}
	intoTypes := f.into("lines", c.code)
	if c.args[0] == "history" || c.args[0] == "logs" {
		return // there may be more of it meanwhile
	}
	if into, lines := sorted(intoTypes), sorted(types); into != lines {
		f.t.Errorf("%s --json-into has %s, --json %s", name, into, lines)
	}
}

// into holds what README.md promises of a file of JSON lines, and returns their
// types.
func (f *fleet) into(name string, code int) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	types, err := jsonLines(string(text), code)
	if err != nil {
		f.t.Errorf("--json-into: %v: %s", err, text)
	}
	return types
}

// sorted are the types of lines, but for what is said to people, and to those who
// wait for a slow machine or for another run, which a run with a small id does.
func sorted(types string) string {
	words := strings.Fields(without(without(without(types, "log"), "heartbeat"), "lock_wait"))
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestContract runs every command that goes to hosts with each exit code that it
// can have, on hosts of which one is well, one is locked, one refuses the key
// and one is not there.
func TestContract(t *testing.T) {
	f := newFleet(t, `
host "well" {}
host "locked" {}
host "refused" {}
host "dead" { address = "127.0.0.1" }
`, "well", "locked", "refused")
	f.mustRun(exitDone, "apply", "--yes", "-l", "well,locked")
	f.sh("refused", `rm ~deploy/.ssh/authorized_keys`)
	f.sh("locked", `echo '{}' >/etc/xmrig/orchestrator.json`)
	holder := f.startOnTerminal("apply", "-l", "locked", "--json-into", "declined")
	holder.expect("[y/N] ")

	table := cells(exitDone,
		"status -l well", "status --why well",
		"plan -l well", "plan -l locked", "plan -l well --detailed-exitcode", "plan --target xmrig -v -l well",
		"apply --yes -l well",
		"restart --direct -l well --reason contract",
		"logs well", "logs --agent -n 1 well", "logs --since 1h well,locked",
		"exec -l well -- true", "exec --sudo -l locked -- true", "exec --stream -l well,locked -- echo",
		"rerun",
		"history -l well", "facts -l well,locked", "ssh-check -l well")
	table = append(table, cells(exitChanges, "plan -l locked --detailed-exitcode", "plan -l locked --detailed-exitcode --out next.plan")...)
	table = append(table, cells(exitLocked,
		"apply --yes -l locked", "apply --yes -l well,locked", "apply --yes -l locked,dead", "apply --yes", "apply next.plan",
		"apply --yes -l locked --partial", "apply --yes -l well,locked --lock-timeout 1s",
		"start --direct -l locked", "stop --direct -l locked", "restart --direct -l locked")...)
	table = append(table, cells(exitPartial,
		"plan", "plan -l locked,dead --detailed-exitcode", "apply --yes --partial", "apply --yes -l well,refused",
		"status", "status -l dead", "status --why refused",
		"restart --direct --yes -l well,locked", "restart --direct --yes -l well,dead",
		"logs", "exec -- true", "exec -l well,dead --sudo -- true", "exec -l well -- false", "rerun",
		"history", "facts", "ssh-check")...)
	table = append(table, cells(exitError,
		"plan -l refused", "plan -l refused,dead", "apply --yes -l dead", "apply --yes --partial -l locked,dead",
		"restart", "stop -l dead", "start --direct -l refused", "logs refused", "exec -l dead,refused -- true",
		"rerun", "history -l dead", "facts -l refused", "ssh-check -l refused,dead")...)
	f.until("well", `xmrig-orchestrator status --json | grep -q '"state": *"running"'`)
	for _, c := range table {
		c.keeps(f)
	}
	holder.answer("n\r")
	holder.wait(exitDeclined)
	f.into("declined", exitDeclined)
	for _, action := range []string{"start", "stop", "restart"} {
		asked := f.startOnTerminal(action, "--json-into", "declined")
		asked.expect(" the miners of all 4 hosts? [y/N] ")
		asked.answer("\r")
		contains(t, asked.wait(exitDeclined).stdout, "Nothing was changed.")
		f.into("declined", exitDeclined)
	}

	// What is kept waiting: the queue takes five commands a minute.
	for _, c := range cells(exitDone, "stop -l well", "start -l well --no-wait") {
		o := c.in(f, "--json")
		if _, err := jsonLines(o.stdout, c.code); err != nil || o.stderr != "" {
			t.Errorf("%s: %v: %v", c.args, err, o)
		}
	}
	const five = `for i in 1 2 3 4 5; do xmrig-orchestrator enqueue start --reason contract --wait=5m || :; done` // quick ones
	f.sh("well", five)
	o := f.mustRun(exitError, "restart", "-l", "well", "--json")
	contains(t, o.stdout, `"type":"command_errored"`, `5 commands`)
	f.sh("well", five)
	cell{exitError, []string{"restart", "-l", "well"}}.keeps(f)
	contains(t, f.mustRun(exitPartial, "restart", "-l", "well,locked").stdout, "  ✓ locked  restarted", "  ! well  ")
}

// TestSignals interrupts every command that goes to hosts while it waits for
// one that answers slowly, in text and in JSON.
func TestSignals(t *testing.T) {
	f := newFleet(t, `host "slow" {}`, "slow")
	f.sh("slow", slowLogin)
	for _, line := range []string{"plan", "apply --yes", "status", "status --watch", "start", "stop --direct", "restart", "logs", "logs -f",
		"exec -- true", "exec --sudo --stream -- true", "history", "facts", "ssh-check", "rerun"} {
		for _, end := range []struct {
			signal syscall.Signal
			code   int
			flags  []string
		}{{syscall.SIGINT, exitInterrupted, []string{"--json"}}, {syscall.SIGTERM, exitTerminated, []string{"--json-into", "lines"}}} {
			args := strings.Fields(line)
			args = append(append([]string{args[0]}, end.flags...), args[1:]...)
			os.Remove(filepath.Join(f.dir, "lines"))
			f.sh("slow", `rm -f /tmp/begun`)
			r := f.start(args...)
			r.await("a line of JSON", func() bool {
				info, err := os.Stat(filepath.Join(f.dir, "lines"))
				return end.code == exitInterrupted && strings.Contains(r.stdout.String(), "\n") ||
					end.code == exitTerminated && err == nil && info.Size() > 0
			})
			f.begun("slow")
			r.signal(end.signal)
			o := r.wait(end.code)
			if end.code == exitTerminated {
				f.into("lines", end.code)
				if err := plainText(o.String()); err != nil {
					t.Errorf("%s: %v", line, err)
				}
				continue
			}
			if _, err := jsonLines(o.stdout, end.code); err != nil || o.stderr != "" {
				t.Errorf("%s: %v: %v", args, err, o)
			}
		}
	}
}

// otherAgent is an agent that says what it finds in /run/agent.
const otherAgent = `package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := os.ReadFile("/run/agent/" + os.Args[1])
	if err != nil {
		fmt.Fprintf(os.Stderr, "xmrig-orchestrator: unknown command %q\n", os.Args[1])
		os.Exit(64)
	}
	fmt.Print(string(text))
}
`

// TestOtherAgents asks an agent that is older and one that is newer than this
// xmrfleet.
func TestOtherAgents(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.apply()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(otherAgent), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "agent"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	binary, err := os.ReadFile(filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	f.sh("mini-1", `mv /usr/local/bin/xmrig-orchestrator /usr/local/bin/real`)
	if err := f.lab.Host("mini-1").WriteFile(context.Background(), "/usr/local/bin/xmrig-orchestrator", binary, 0o755); err != nil {
		t.Fatal(err)
	}

	// One that knows none of the commands.
	contains(t, f.mustRun(exitError, "history").stdout, "  ! mini-1  the agent on the host is older than this xmrfleet\n",
		"      hint: xmrfleet apply --target agent\n")
	contains(t, f.mustRun(exitError, "restart").stdout, "  ! mini-1  what runs as xmrig-orchestrator.service is not the health agent\n",
		"repair the agent: xmrfleet apply --target agent\n")
	for _, line := range []string{"history", "start"} {
		cell{exitError, strings.Fields(line)}.keeps(f)
	}
	contains(t, f.run("status").stdout, "mini-1")

	// One whose answers have a version, and a field, that nobody knows yet.
	f.sh("mini-1", `mkdir /run/agent; echo '{"version": 99, "novelty": [1]}' | tee /run/agent/status >/run/agent/history`)
	contains(t, f.mustRun(exitError, "history").stdout, "  ! mini-1  read history: the agent is newer than this xmrfleet (history version 99, want ")
	contains(t, f.mustRun(exitPartial, "status", "--json").stdout, `read status: the agent is newer than this xmrfleet (status version 99, want `)
	cell{exitError, []string{"history"}}.keeps(f)
	cell{exitPartial, []string{"status"}}.keeps(f)

	// One that talks nonsense, and one that ends in the middle of a word.
	f.sh("mini-1", `echo '<html>' | tee /run/agent/status >/run/agent/history`)
	contains(t, f.mustRun(exitError, "history").stdout, "read history: the agent's answer is not JSON")
	cell{exitPartial, []string{"status"}}.keeps(f)
	f.sh("mini-1", `printf '{"version": 1, "events": [{"at' | tee /run/agent/status >/run/agent/history`)
	cell{exitError, []string{"history"}}.keeps(f)
	cell{exitPartial, []string{"status"}}.keeps(f)

	// And the remedy that is hinted at.
	f.mustRun(exitDone, "apply", "--yes", "--target", "agent")
	f.mustRun(exitDone, "history")
}
