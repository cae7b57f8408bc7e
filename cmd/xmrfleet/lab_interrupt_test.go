//go:build lab

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xmrfleet/cmd/internal/labtest"
)

// slowUser holds the change "user xmrig", which disturbs nothing, until release;
// slowStart the start of the miner, slowLogin every login.
const (
	slowUser = `printf '#!/bin/sh\ntouch /run/begun\nuntil [ -e /run/go ]; do sleep 0.1; done\nexec /usr/sbin/useradd "$@"\n' >/usr/local/sbin/useradd
		chmod +x /usr/local/sbin/useradd`
	slowStart = `mkdir -p /run/systemd/system/xmrig.service.d
		printf '[Service]\nTimeoutStartSec=infinity\nExecStartPre=+/bin/touch /run/begun\nExecStartPre=/bin/sh -c "until [ -e /run/go ]; do sleep 0.1; done"\n' \
			>/run/systemd/system/xmrig.service.d/slow.conf`
	slowLogin = `echo 'touch /tmp/begun; until [ -e /tmp/go ]; do sleep 1; done' >~deploy/.bashrc`
)

// begun waits until a host has come to what it is slow at.
func (f *fleet) begun(host string) {
	f.t.Helper()
	f.until(host, `[ -e /run/begun ] || [ -e /tmp/begun ]`)
}

// release makes a host quick.
func (f *fleet) release(host string) {
	f.t.Helper()
	f.sh(host, `touch /run/go /tmp/go`)
}

// stopping is what a first signal makes of an apply.
const stopping = "stopping: no other host is started, and the running ones go on to a safe point\n"

// abandonable is what it says once a second signal is no echo of the first.
const abandonable = "interrupt again to abandon the running hosts"

// TestInterruptedGather ends at once and has changed nothing.
func TestInterruptedGather(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "slow-1" {}`, "mini-1", "slow-1")
	f.sh("slow-1", slowLogin)
	for _, command := range [][]string{{"plan"}, {"apply", "--yes"}, {"status"}} {
		f.mark("mini-1")
		f.mark("slow-1")
		f.sh("slow-1", `rm -f /tmp/begun`)
		r := f.start(command...)
		f.begun("slow-1")
		r.signal(syscall.SIGINT)
		o := r.wait(exitInterrupted) // though the host is slow still
		contains(t, o.stdout, "slow-1", "interrupted")
		f.untouched("mini-1")
		f.untouched("slow-1")
	}
}

// TestPrompt answers the question of an apply in all ways.
func TestPrompt(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.mark("mini-1")
	for answer, want := range map[string]int{
		"n\r": exitDeclined, "\r": exitDeclined, "yesterday\r": exitDeclined, "\x04": exitDeclined,
		"\x03": exitInterrupted,
	} {
		r := f.startOnTerminal("apply")
		r.expect("Apply to 1 host? [y/N] ")
		r.answer(answer)
		contains(t, r.wait(want).stdout, "+ start   service xmrig", "Nothing was changed.")
		f.untouched("mini-1")
	}
	r := f.startOnTerminal("apply")
	r.expect("Apply to 1 host? [y/N] ")
	r.signal(syscall.SIGTERM)
	contains(t, r.wait(exitTerminated).stdout, "Nothing was changed.")
	f.untouched("mini-1")

	r = f.startOnTerminal("apply")
	r.expect("Apply to 1 host? [y/N] ")
	r.answer("Y\r")
	contains(t, r.wait(exitDone).stdout, "Apply: 1 of 1 host converged")
	f.converged()
}

// TestInterruptedApply stops running hosts at their safe point and starts no
// other; the next apply finishes.
func TestInterruptedApply(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "mini-1" {}`, "slow-1", "mini-1")
	f.sh("slow-1", slowUser)
	f.mark("mini-1")
	r := f.start("apply", "--yes", "--parallelism", "1")
	f.begun("slow-1")
	r.signal(syscall.SIGINT)
	r.expectError(stopping)
	f.release("slow-1")
	o := r.wait(exitInterrupted)
	contains(t, o.stdout,
		"  ! slow-1  in between, 9 of 11 changes made; the next apply finishes it: interrupted\n",
		"        made     create user xmrig\n",
		"        made     create file /etc/xmrig/config.json\n",
		"        not yet  start service xmrig\n",
		"        not yet  start service xmrig-orchestrator\n",
		"  ! mini-1  untouched: interrupted\n",
		"Apply: 0 of 2 hosts converged, 9 changes made. 2 hosts are not.",
		" -l slow-1,mini-1\n")
	f.untouched("mini-1")
	contains(t, f.apply().stdout, "Apply: 2 of 2 hosts converged, 13 changes made.")
	f.converged()
}

// TestInterruptedStart comes while the miner starts: that host is finished.
func TestInterruptedStart(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "mini-1" {}`, "slow-1", "mini-1")
	f.sh("slow-1", slowStart)
	f.mark("mini-1")
	r := f.start("apply", "--yes", "--parallelism", "1")
	f.begun("slow-1")
	r.signal(syscall.SIGTERM)
	r.expectError(stopping)
	f.release("slow-1")
	o := r.wait(exitTerminated)
	contains(t, o.stderr, "slow-1  ✓ 11 changes made, verified")
	contains(t, o.stdout, "  ! mini-1  untouched: interrupted\n",
		"Apply: 1 of 2 hosts converged, 11 changes made. 1 host is not.", " -l mini-1\n")
	f.untouched("mini-1")
	f.apply()
	f.converged()
}

// TestHangUp takes the terminal away in the middle of an apply, which is a signal
// like others: the host comes to its safe point, and the report is written.
func TestHangUp(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("SIGHUP is ignored here and below, as nohup has it")
	}
	f := newFleet(t, `host "slow-1" {}`, "slow-1")
	f.sh("slow-1", slowUser)
	r := f.startOnTerminal("apply", "--yes", "--json-into", "lines.json")
	f.begun("slow-1")
	r.terminal.Close()
	report := func() string {
		lines, err := os.ReadFile(filepath.Join(f.dir, "lines.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(lines)
	}
	r.await("a stop", func() bool { return strings.Contains(report(), `"type":"interrupted"`) })
	f.release("slow-1")
	r.wait(exitInterrupted)
	contains(t, report(), `"result":"in_between"`, `"outcome":"interrupted"`, `"signal":"hangup"`)
	f.apply()
	f.converged()
}

// TestWaiting has hosts that take their time: people and programs are told who
// is waited for, and with what.
func TestWaiting(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "slow-2" {}`, "slow-1", "slow-2")
	f.sh("slow-1", slowStart)
	f.sh("slow-2", slowLogin)
	r := f.start("apply", "--yes", "--json-into", "lines.json")
	r.expectError("] still waiting for slow-2 (connecting and reading, ")
	f.release("slow-2")
	r.expectError("] still waiting for slow-1 (start service xmrig, ")
	f.release("slow-1")
	r.wait(exitDone)
	lines, err := os.ReadFile(filepath.Join(f.dir, "lines.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`"in_work":\[\{"host":"slow-2","phase":"read","took_ms":\d{4,}\}\]`).Match(lines) {
		t.Errorf("nobody waits for slow-2 alone, for seconds: %s", lines)
	}
	contains(t, string(lines), `"in_work":[{"host":"slow-1","phase":"change","resource":"service xmrig","action":"start","took_ms":`)
	r = f.start("exec", "--json", "-l", "slow-1", "--", "until [ -e /run/ended ]; do sleep 0.1; done")
	r.expect(`"in_work":[{"host":"slow-1","phase":"command","took_ms":`)
	f.sh("slow-1", `touch /run/ended`)
	r.wait(exitDone)
}

// TestAbandonedApply is a second Ctrl-C: it does not wait for the host, which
// finishes what it has begun.
func TestAbandonedApply(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`, "slow-1")
	f.sh("slow-1", slowUser)
	r := f.start("apply", "--yes")
	f.begun("slow-1")
	r.signal(syscall.SIGINT)
	r.expectError(stopping)
	r.signal(syscall.SIGINT) // an echo, as of timeout and make
	r.expectError(abandonable)
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	contains(t, o.stdout, "  ! slow-1  in between, ", " of 11 changes made; the next apply finishes it: run command: abandoned",
		"        not yet  create user xmrig\n", "Apply: 0 of 1 host converged", "\nretry: ")
	f.mustRun(exitLocked, "apply", "--yes")
	f.release("slow-1")
	labtest.Wait(t, func() bool { o = f.run("apply", "--yes"); return o.code != exitLocked }, func() string { return o.String() })
	if o.code != exitDone {
		t.Fatal(o)
	}
	f.converged()
}

// TestLostConnection cuts the cable in the middle of an apply.
func TestLostConnection(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "mini-1" {}`, "slow-1", "mini-1")
	f.sh("slow-1", slowUser)
	r := f.start("apply", "--yes")
	f.begun("slow-1")
	if err := f.lab.Host("slow-1").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	o := r.wait(exitPartial)
	// The word of the second change may be lost with the cable.
	contains(t, o.stdout, "  ! slow-1  in between, ", " of 11 changes made; the next apply finishes it: ", "no sign of life for 12s",
		"Apply: 1 of 2 hosts converged", " -l slow-1\n")
	f.release("slow-1")
	if err := f.lab.Host("slow-1").Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	labtest.Wait(t, func() bool {
		o = f.run("apply", "--yes")
		return o.code != exitLocked && o.code != exitPartial
	}, func() string { return o.String() })
	if o.code != exitDone {
		t.Fatal(o)
	}
	contains(t, f.sh("slow-1", `id xmrig`), "xmrig")
	f.converged()
}

// TestTimeout gives up a host that takes too long; it finishes what it has
// begun.
func TestTimeout(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "mini-1" {}`, "slow-1", "mini-1")
	f.sh("slow-1", slowUser)
	o := f.mustRun(exitPartial, "apply", "--yes", "--timeout", "30s")
	contains(t, o.stdout, "  ! slow-1  in between, 2 of 11 changes made; the next apply finishes it: "+
		"run command: not done within --timeout 30s; the host finishes what it has begun\n",
		"Apply: 1 of 2 hosts converged", " -l slow-1\n")
	f.release("slow-1")
	f.until("slow-1", `id xmrig`)
	f.sh("mini-1", slowLogin)
	contains(t, f.mustRun(exitPartial, "plan", "--timeout", "15s").stdout,
		"  ! mini-1  start shell: not done within --timeout 15s", "  ~ slow-1", "1 host was not read.")
}

// A running xmrfleet.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr transcript
	terminal       *os.File // nil: there is none
	ended          chan struct{}
}

// A transcript is output that can be read while it grows.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs xmrfleet in the background.
func (f *fleet) start(args ...string) *running {
	f.t.Helper()
	r := &running{t: f.t, cmd: f.command(args...), ended: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.begin()
	go func() {
		defer close(r.ended)
		r.cmd.Wait()
	}()
	return r
}

func (r *running) begin() {
	r.t.Helper()
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.cmd.Process.Kill() }) // an error: it ended, as it should
}

// startOnTerminal is start with a terminal of its own for all three streams,
// whose output is r.stdout.
func (f *fleet) startOnTerminal(args ...string) *running {
	f.t.Helper()
	terminal, tty, err := openTerminal()
	if err != nil {
		f.t.Fatal(err)
	}
	defer tty.Close()
	f.t.Cleanup(func() { terminal.Close() })
	r := &running{t: f.t, cmd: f.command(args...), terminal: terminal, ended: make(chan struct{})}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = tty, tty, tty
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	r.cmd.Env = append(r.cmd.Env, "NO_COLOR=1")
	r.begin()
	go func() {
		defer close(r.ended)
		buf := make([]byte, 4096)
		for {
			n, err := terminal.Read(buf) // an error once the program has ended
			r.stdout.Write(bytes.ReplaceAll(buf[:n], []byte("\r\n"), []byte("\n")))
			if err != nil {
				break
			}
		}
		r.cmd.Wait()
	}()
	return r
}

// openTerminal makes a pseudo-terminal of 200 columns and returns both ends.
func openTerminal() (terminal, tty *os.File, err error) {
	terminal, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err := terminal.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var number int
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		if failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if failed == nil {
			failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200})
		}
	})
	if err = errors.Join(err, failed); err != nil {
		terminal.Close()
		return nil, nil, err
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	return terminal, tty, err
}

// expect waits until the program has printed text.
func (r *running) expect(text string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%q", text), func() bool { return strings.Contains(r.stdout.String(), text) })
}

// expectError is expect for standard error.
func (r *running) expectError(text string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%q", text), func() bool { return strings.Contains(r.stderr.String(), text) })
}

// await waits for something that the program does.
func (r *running) await(what string, done func() bool) {
	r.t.Helper()
	labtest.Wait(r.t, func() bool {
		r.t.Helper()
		select {
		case <-r.ended:
			if !done() {
				r.t.Fatalf("it ended without %s:\n%s%s", what, r.stdout.String(), r.stderr.String())
			}
		default:
		}
		return done()
	}, func() string { return what + ", got:\n" + r.stdout.String() + r.stderr.String() })
}

// answer types on the terminal.
func (r *running) answer(keys string) {
	r.t.Helper()
	if _, err := r.terminal.WriteString(keys); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// wait waits for the end, with a known exit code.
func (r *running) wait(code int) outcome {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(labtest.Limit):
		r.t.Fatalf("it does not end:\n%s%s", r.stdout.String(), r.stderr.String())
	}
	o := outcome{r.stdout.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
	if o.code != code {
		r.t.Fatalf("want exit %d, got %v", code, o)
	}
	return o
}
