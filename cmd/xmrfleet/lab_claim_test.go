//go:build lab

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// workers are who the hosts mine as, by their configuration.
func (f *fleet) workers(hosts []string) map[string]int {
	f.t.Helper()
	found := make(map[string]int)
	for _, host := range hosts {
		found[strings.TrimSpace(f.sh(host, `sed -n 's/.*"rig-id": "\(.*\)".*/\1/p' /etc/xmrig/config.json`))]++
	}
	return found
}

// TestTwoApplies has two people apply two files to the same hosts at once, again
// and again. The fleet is never split between them.
func TestTwoApplies(t *testing.T) {
	hosts := []string{"m1", "m2", "m3", "m4"}
	f := newFleet(t, `host "m1" {}
host "m2" {}
host "m3" {}
host "m4" {}
`, hosts...)
	f.apply()
	before := f.workers(hosts)
	for round := range 8 {
		var runs []*running
		for _, person := range []string{"ann", "bob"} {
			text, err := os.ReadFile(filepath.Join(f.dir, "fleet.hcl"))
			if err != nil {
				t.Fatal(err)
			}
			file := strings.Replace(string(text), `pool "a" {`, fmt.Sprintf("pool \"a\" {\n  rig_id = \"%s-%d\"\n ", person, round), 1)
			file = strings.Replace(file, `:443" }`, ":443\"\n}", 1)
			if err := os.WriteFile(filepath.Join(f.dir, person+".hcl"), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			runs = append(runs, f.start("apply", "--yes", "-f", person+".hcl"))
		}
		through := 0
		for _, r := range runs {
			<-r.ended
			o := outcome{r.stdout.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
			switch o.code {
			case exitDone:
				through++
			case exitLocked:
				contains(t, o.stdout, "held by ", "Apply: nothing was changed: ", "--lock-timeout")
			default:
				t.Fatal(o)
			}
		}
		after := f.workers(hosts)
		t.Logf("round %d: %d of 2 come through: %v", round, through, after)
		if len(after) != 1 || through == 0 && fmt.Sprint(after) != fmt.Sprint(before) || through > 0 && fmt.Sprint(after) == fmt.Sprint(before) {
			t.Fatalf("%d of 2 came through, and the hosts are split or as before: %v, were %v", through, after, before)
		}
		before = after
	}
}

// TestLockTimeout waits for another run, tells for whom, and then reads anew.
func TestLockTimeout(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	first := f.startOnTerminal("apply", "-l", "mini-1")
	first.expect("[y/N] ")
	f.mark("mini-2")
	contains(t, f.mustRun(exitLocked, "apply", "--yes").stdout, "  ! mini-1  lock /run/xmrfleet: held by ", "Apply: nothing was changed: 1 of 2 hosts is held by another run.")
	f.untouched("mini-2")
	second := f.start("apply", "--yes", "--lock-timeout", "1h", "--json-into", "lines")
	second.expectError("] waiting ")
	contains(t, second.stderr.String(), " at most for ", "(xmrfleet apply, run ", ") on mini-1\n")
	first.answer("y\r")
	contains(t, first.wait(exitDone).stdout, "Apply: 1 of 1 host converged")
	contains(t, second.wait(exitDone).stdout, "Plan: 1 of 2 hosts to change", "Apply: 2 of 2 hosts converged")
	contains(t, f.into("lines", exitDone), " lock_wait ")
	f.converged()

	third := f.start("apply", "--yes", "--lock-timeout", "1h")
	third.wait(exitDone)
	f.sh("mini-1", `echo '{}' >/etc/xmrig/config.json`)
	first = f.startOnTerminal("apply", "-l", "mini-1")
	first.expect("[y/N] ")
	waiting := f.start("apply", "--yes", "--lock-timeout", "1h")
	waiting.expectError("] waiting ")
	waiting.signal(syscall.SIGINT)
	waiting.wait(exitInterrupted)
	contains(t, f.mustRun(exitLocked, "apply", "--yes", "--partial").stdout, "  ! mini-1  lock /run/xmrfleet: held by ", "Plan: nothing to do, 1 host is as described. 1 host was not read.")
	first.answer("n\r")
	first.wait(exitDeclined)
}

// TestTwoNames of one machine: nothing is changed on it.
func TestTwoNames(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	f.write(preamble + `host "mini-1" {}` + "\n" + `host "mini-2" {}` + "\n" +
		`host "also-1" { address = "` + f.lab.Host("mini-1").Address() + `" }`)
	f.mark("mini-1")
	contains(t, f.mustRun(exitPartial, "plan").stdout, "  ! mini-1  this is the same machine as also-1\n", "  ! also-1  this is the same machine as mini-1\n",
		"      hint: remove one of the names from the fleet file\n")
	contains(t, f.mustRun(exitPartial, "apply", "--yes").stdout, "mini-1  this is the same machine as also-1", "Apply: 1 of 3 hosts converged")
	f.untouched("mini-1")
	f.sh("mini-1", lockIsFree)
	contains(t, f.mustRun(exitPartial, "apply", "--yes").stdout, "mini-1  this is the same machine as also-1", "Plan: nothing to do, 1 host is as described.")
}
