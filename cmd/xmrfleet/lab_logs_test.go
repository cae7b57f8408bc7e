//go:build lab

package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// speaker is a unit of the miner's name that says what is written into a file.
const speaker = `: >/run/say; systemd-run -q --unit=xmrig -p LogNamespace=xmrig -p SyslogIdentifier=xmrig tail -F /run/say
until systemctl is-active -q xmrig; do sleep 0.1; done`

func (f *fleet) say(host, text string) {
	f.t.Helper()
	f.sh(host, `printf '%s\n' "$1" >>/run/say`, text)
	time.Sleep(20 * time.Millisecond)
}

func TestLogs(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "miner-2" {}`, "m1", "miner-2")
	f.sh("m1", speaker)
	f.sh("miner-2", speaker)
	for i, host := range []string{"m1", "miner-2", "miner-2", "m1", "miner-2", "m1"} {
		f.say(host, "line "+strings.Repeat("i", i+1))
	}
	f.say("m1", "odd \x1b[31mred\x1b[0m \x07 ü")
	var o outcome
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		o = f.mustRun(exitDone, "logs")
		if strings.Contains(o.stdout, "red") || time.Now().After(deadline) {
			break
		}
	}
	var got strings.Builder
	for line := range strings.Lines(o.stdout) {
		if host, rest, ok := strings.Cut(line, "line "); ok {
			got.WriteString(strings.Fields(host)[0] + " " + rest)
		}
	}
	check(t, got.String(), "m1 i\nminer-2 ii\nminer-2 iii\nm1 iiii\nminer-2 iiiii\nm1 iiiiii\n")
	contains(t, o.stdout, "odd red  ü\n", "systemd: Started ")
	if o := f.mustRun(exitDone, "logs", "-n", "1", "m1"); !strings.HasSuffix(o.stdout, "  odd red  ü\n") || strings.Count(o.stdout, "\n") != 1 {
		t.Error(o)
	}
	contains(t, f.mustRun(exitDone, "logs", "--since", "5m", "--json").stdout, `"type":"log_entry"`, `"text":"line iii"`)
	if o := f.mustRun(exitDone, "logs", "--agent"); o.stdout != "" {
		t.Error(o)
	}
	contains(t, f.mustRun(exitError, "logs", "--since", "the flood").stderr, "  ! m1  read journal: journalctl ended with status 1: Failed to parse timestamp: the flood\n")
	contains(t, f.mustRun(exitError, "logs", "-f", "--since", "the flood").stderr, "Failed to parse timestamp: the flood\n")
}

// TestLogsFollow sees what comes, ends at once and leaves nothing behind; not
// even where a link was cut.
func TestLogsFollow(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "miner-2" {}`, "m1", "miner-2")
	f.sh("m1", speaker)
	f.sh("miner-2", speaker)
	f.say("m1", "before")
	r := f.start("logs", "-f")
	r.expect("  before\n")
	f.say("miner-2", "one")
	f.say("m1", "two")
	r.expect("  one\n")
	r.expect("  two\n")
	if text := r.stdout.String(); strings.Index(text, "  one\n") > strings.Index(text, "  two\n") || strings.Count(text, "before") != 1 {
		t.Errorf("order:\n%s", text)
	}
	began := time.Now()
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s to stop", took)
	}
	if o.stderr != "" {
		t.Error(o)
	}
	for _, host := range []string{"m1", "miner-2"} {
		f.noneLeft(host, "journalctl", 5*time.Second)
		f.noneLeft(host, "sudo", 5*time.Second)
	}

	r = f.start("logs", "-f", "-n", "0")
	f.waitFor("m1", "journalctl")
	f.waitFor("miner-2", "journalctl")
	if err := f.lab.Host("m1").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(r.stderr.String(), "  ! m1  run command: no sign of life for 12s\n"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the cut link was not noticed:\n%s", r.stderr.String())
		}
	}
	f.say("miner-2", "three")
	r.expect("  three\n")
	r.signal(syscall.SIGINT)
	r.wait(exitInterrupted)
	f.noneLeft("m1", "journalctl", 40*time.Second)
	f.noneLeft("miner-2", "journalctl", 5*time.Second)
}
