//go:build lab

package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"xmrfleet/cmd/internal/labtest"
)

// speaker is a unit of the miner's name that says what is written into a file.
const speaker = `: >/run/say; systemd-run -q --unit=xmrig -p LogNamespace=xmrig -p SyslogIdentifier=xmrig tail -F /run/say
until systemctl is-active -q xmrig; do sleep 0.1; done`

func (f *fleet) say(host, text string) {
	f.t.Helper()
	f.sh(host, `printf '%s\n' "$1" >>/run/say`, text)
	f.until(host, `journalctl -q -a --namespace=xmrig -o cat | grep -aqF -- "$1"`, text) // so that the lines have an order
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
	labtest.Wait(t, func() bool {
		o = f.mustRun(exitDone, "logs")
		return strings.Contains(o.stdout, "red")
	}, func() string { return o.String() })
	var got strings.Builder
	for line := range strings.Lines(o.stdout) {
		if host, rest, ok := strings.Cut(line, "line "); ok {
			got.WriteString(strings.Fields(host)[0] + " " + rest)
		}
	}
	check(t, got.String(), "m1 i\nminer-2 ii\nminer-2 iii\nm1 iiii\nminer-2 iiiii\nm1 iiiiii\n")
	contains(t, o.stdout, "odd red  ü\n", "systemd: Started ")
	for _, args := range [][]string{{"-n", "1"}, {"-n", "1", "--since", "5m"}} {
		if o := f.mustRun(exitDone, append([]string{"logs", "m1"}, args...)...); !strings.HasSuffix(o.stdout, "  odd red  ü\n") || strings.Count(o.stdout, "\n") != 1 {
			t.Error(args, o)
		}
	}
	contains(t, f.mustRun(exitDone, "logs", "--since", "5m", "--json").stdout, `"type":"log_entry"`, `"text":"line iii"`)
	if o := f.mustRun(exitDone, "logs", "--agent"); o.stdout != "" {
		t.Error(o)
	}
	contains(t, f.mustRun(exitError, "logs", "--since", "the flood").stderr, "  ! m1  read journal: journalctl ended with status 1: Failed to parse timestamp: the flood\n")
	contains(t, f.mustRun(exitError, "logs", "-n", "1", "--since", "the flood").stderr, "Failed to parse timestamp: the flood\n")
	contains(t, f.mustRun(exitError, "logs", "-f", "--since", "the flood").stderr, "Failed to parse timestamp: the flood\n")
}

// TestLogsFollow sees what comes, ends at once and leaves nothing behind.
func TestLogsFollow(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "miner-2" {}`, "m1", "miner-2")
	f.sh("m1", speaker)
	f.sh("miner-2", speaker)
	f.say("m1", "before")
	r := f.start("logs", "-f", "-n", "1", "--since", "5m")
	r.expect("  before\n")
	for _, host := range []string{"m1", "miner-2"} { // both are followed
		f.say(host, host+" is there")
		r.expect("  " + host + " is there\n")
	}
	f.say("miner-2", "one")
	f.say("m1", "two")
	r.expect("  one\n")
	r.expect("  two\n")
	if text := r.stdout.String(); strings.Index(text, "  one\n") > strings.Index(text, "  two\n") || strings.Count(text, "before") != 1 {
		t.Errorf("order:\n%s", text)
	}
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	if o.stderr != "" {
		t.Error(o)
	}
	for _, host := range []string{"m1", "miner-2"} {
		f.noneLeft(host, "journalctl")
		f.noneLeft(host, "sudo")
	}
}

// TestLogsLost follows hosts that are lost and come back: no line is missed or
// comes twice, and nothing is left behind even where the link was cut.
func TestLogsLost(t *testing.T) {
	f := newFleet(t, `host "m1" {}`+"\n"+`host "miner-2" {}`, "m1", "miner-2")
	f.sh("m1", speaker)
	f.sh("m1", `i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo "count $i"; sleep 0.05; done >>/run/say 2>/dev/null </dev/null &`)
	r := f.start("logs", "-f", "-n", "0", "--connect-timeout", "5s")
	seen := func(host, text string, times int) {
		t.Helper()
		matches := regexp.MustCompile(`(?m)^` + host + ` +[-0-9]+ [:0-9]+  ` + regexp.QuoteMeta(text))
		r.await(fmt.Sprintf("%d times %s %q", times, host, text),
			func() bool { return len(matches.FindAllString(r.stderr.String(), -1)) >= times })
	}
	// The connection ends: of miner-2 before it ever said something.
	f.waitFor("miner-2", "journalctl")
	r.expect("  count ")
	for range 2 {
		before := strings.Count(r.stderr.String(), "back:")
		f.sh("m1", `pkill -f '^sshd: deploy'`)
		seen("m1", "back: nothing is left out\n", before+1)
		lines := strings.Count(r.stdout.String(), "  count ")
		r.await("more lines", func() bool { return strings.Count(r.stdout.String(), "  count ") > lines })
	}
	// It is reached again when it has a journal to follow.
	f.sh("miner-2", `systemctl stop ssh; pkill -f '^sshd: deploy'`)
	seen("miner-2", "lost: ", 1)
	f.sh("miner-2", speaker+"\nsystemctl start ssh")
	seen("miner-2", "back: nothing is left out\n", 1)
	r.expect("systemd: Started xmrig.service")
	f.say("miner-2", "first")
	r.expect("  first\n")

	// The link is cut.
	if err := f.lab.Host("m1").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen("m1", "lost: run command: no sign of life for 12s; it is tried again\n", 1)
	f.say("miner-2", "beside")
	r.expect("  beside\n")
	if err := f.lab.Host("m1").Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen("m1", "back: nothing is left out\n", 3)
	f.say("m1", "at last")
	r.expect("  at last\n")

	// It stays away: Ctrl-C does not wait for it.
	if err := f.lab.Host("m1").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen("m1", "lost: run command: no sign of life for 12s; it is tried again\n", 2)
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	f.noneLeft("miner-2", "journalctl")
	f.noneLeft("m1", "journalctl")

	counted := regexp.MustCompile(`count (\d+)\n`).FindAllStringSubmatch(o.stdout, -1)
	first, _ := strconv.Atoi(counted[0][1])
	for i, c := range counted {
		if c[1] != strconv.Itoa(first+i) {
			t.Fatalf("count %s follows on count %d", c[1], first+i-1)
		}
	}
	for _, once := range []string{"  first\n", "  beside\n", "  at last\n"} {
		if n := strings.Count(o.stdout, once); n != 1 {
			t.Errorf("%q comes %d times", once, n)
		}
	}
}
