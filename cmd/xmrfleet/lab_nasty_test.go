//go:build lab

package main

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
)

// TestNasty has a host that prints what a terminal should not see, reasons that
// nobody types, and a disk without room for a plan.
func TestNasty(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")

	full := filepath.Join(f.dir, "full")
	mount := exec.Command("sh", "-c", `mkdir "$1" && mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero >"$1/ballast"`, "sh", full)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", full).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	contains(t, f.mustRun(exitError, "plan", "--out", "full/next.plan").stderr, "xmrfleet: save plan: ", ": no space left on device\n")
	if left, err := filepath.Glob(filepath.Join(full, ".next*")); err != nil || left != nil {
		t.Errorf("a full disk leaves %s", left)
	}
	f.mustRun(exitDone, "plan", "--out", "next.plan")
	f.mustRun(exitDone, "plan", "--out", "next.plan")
	f.mustRun(exitDone, "apply", "next.plan")

	// Bytes are passed through as they are, but not to a terminal.
	bytes := make([]byte, 300_000)
	rand.Read(bytes)
	f.put("mini-1", "/srv/bytes", string(bytes))
	if o := f.mustRun(exitDone, "exec", "--", "cat", "/srv/bytes"); o.stdout != string(bytes) || o.stderr != "" {
		t.Errorf("%d bytes became %d, and %q", len(bytes), len(o.stdout), o.stderr)
	}
	o := f.mustRun(exitDone, "exec", "--json", "--", "cat", "/srv/bytes")
	if _, err := jsonLines(o.stdout, exitDone); err != nil {
		t.Error(err)
	}
	for _, flags := range [][]string{{"exec", "--"}, {"exec", "--stream", "--"}} {
		r := f.startOnTerminal(append(flags, `printf 'a\033[31mb\033[0mc\033]0;title\007d\033[2J\nerr\033[1m\n' >&2; head -c 1000 /srv/bytes`)...)
		if err := plainText(r.wait(exitDone).stdout); err != nil {
			t.Errorf("%s: %v", flags, err)
		}
	}

	// Whoever reads one line ends what goes on for ever, on the host as well.
	for _, line := range []string{"logs -f", "logs -f --json", "status --watch", "exec -- yes", "exec --stream --json -- yes"} {
		reader := exec.Command("timeout", "300", "sh", "-c", `"$0" $1 2>/dev/null | head -n 1`, labtest.Program(f.t), line)
		reader.Dir, reader.Env = f.dir, f.command().Env
		if out, err := reader.Output(); err != nil || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s | head -n 1: %v: %q", line, err, out)
		}
	}
	f.noneLeft("mini-1", "yes")

	// What is typed stays one argument, one entry, one line.
	reason := "it's \"quoted\" $(touch /tmp/pwned) `id`\nrun 0 by nobody\x1b[2J ü\t" + strings.Repeat("long ", 2000)
	f.mustRun(exitDone, "restart", "--reason", reason)
	contains(t, f.mustRun(exitDone, "history", "--json").stdout, `it's \"quoted\" $(touch /tmp/pwned) `, "`id`"+`\nrun 0 by nobody`, strings.Repeat("long ", 1990))
	o = f.mustRun(exitDone, "history")
	if err := plainText(o.stdout); err != nil || strings.Contains(o.stdout, "\nrun 0 by") {
		t.Errorf("%v: %.1000s", err, o.stdout)
	}
	r := f.startOnTerminal("history")
	for line := range strings.Lines(r.wait(exitDone).stdout) {
		if len(line) > 1000 {
			t.Errorf("a line has %d characters", len(line))
		}
	}
	f.mustRun(exitPartial, "exec", "--sudo", "--", "true\nrun 0 by nobody from nowhere: forged")
	if got := f.sh("mini-1", `journalctl -q -t xmrfleet -o cat | grep -c '^run 0 by' || :`); got != "0\n" {
		t.Errorf("%s entries were forged", got)
	}
	f.mustRun(exitDone, "restart", "--direct", "--reason", "new\nkernel")
	f.mustRun(exitDone, "restart", "--direct")
	contains(t, f.sh("mini-1", `journalctl -q -t xmrfleet -o cat`), `: restart xmrig.service: new\nkernel`+"\n", ": restart xmrig.service\n")
	contains(t, f.mustRun(exitPartial, "exec", "--", "-x").stderr, "-x: not found", "exit 127")
	f.sh("mini-1", `! ls /tmp/pwned 2>/dev/null`)
	if _, err := os.Stat("/tmp/pwned"); err == nil {
		t.Error("a reason was run")
	}
}
