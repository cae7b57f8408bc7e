//go:build lab

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slowUser makes the change "user xmrig", which disturbs nothing, take a time;
// slowStart makes it the start of the miner.
const (
	slowUser = `printf '#!/bin/sh\ntouch /run/begun\nsleep 3\nexec /usr/sbin/useradd "$@"\n' >/usr/local/sbin/useradd
		chmod +x /usr/local/sbin/useradd`
	slowStart = `mkdir -p /run/systemd/system/xmrig.service.d
		printf '[Service]\nExecStartPre=+/bin/touch /run/begun\nExecStartPre=/bin/sleep 3\n' >/run/systemd/system/xmrig.service.d/slow.conf`
	slowLogin = `echo 'sleep 20' >~deploy/.bashrc`
	begun     = `i=0; until [ -e /run/begun ]; do i=$((i + 1)); [ $i -lt 300 ] || exit 1; sleep 0.1; done`
)

// TestInterruptedGather ends at once and has changed nothing.
func TestInterruptedGather(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "slow-1" {}`, "mini-1", "slow-1")
	f.sh("slow-1", slowLogin)
	for _, command := range [][]string{{"plan"}, {"apply", "--yes"}, {"status"}} {
		f.mark("mini-1")
		f.mark("slow-1")
		r := f.start(command...)
		time.Sleep(time.Second)
		r.signal(syscall.SIGINT)
		began := time.Now()
		o := r.wait(exitInterrupted)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s took %s to stop", command, took)
		}
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
	f.sh("slow-1", begun)
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	contains(t, o.stderr, "stopping: no other host is started, and the running ones go on to a safe point; interrupt again to abandon them\n")
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
	f.sh("slow-1", begun)
	r.signal(syscall.SIGTERM)
	o := r.wait(exitTerminated)
	contains(t, o.stderr, "slow-1  ✓ 11 changes made, verified")
	contains(t, o.stdout, "  ! mini-1  untouched: interrupted\n",
		"Apply: 1 of 2 hosts converged, 11 changes made. 1 host is not.", " -l mini-1\n")
	f.untouched("mini-1")
	f.apply()
	f.converged()
}

// TestWaiting has hosts that take their time: people and programs are told who
// is waited for, and with what.
func TestWaiting(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "slow-2" {}`, "slow-1", "slow-2")
	f.sh("slow-1", strings.ReplaceAll(slowStart, "sleep 3", "sleep 22"))
	f.sh("slow-2", strings.ReplaceAll(slowLogin, "sleep 20", "sleep 12"))
	o := f.mustRun(exitDone, "apply", "--yes", "--json-into", "lines.json")
	contains(t, o.stderr, "] still waiting for slow-2 (connecting and reading, 1", "] still waiting for slow-1 (start service xmrig, ")
	lines, err := os.ReadFile(filepath.Join(f.dir, "lines.json"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(lines), `"in_work":[{"host":"slow-2","phase":"read","took_ms":1`,
		`"in_work":[{"host":"slow-1","phase":"change","resource":"service xmrig","action":"start","took_ms":`)
	contains(t, f.mustRun(exitDone, "exec", "--json", "-l", "slow-1", "--", "sleep 11").stdout,
		`"in_work":[{"host":"slow-1","phase":"command","took_ms":`)
}

// TestAbandonedApply is a second Ctrl-C: it does not wait for the host, which
// finishes what it has begun.
func TestAbandonedApply(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`, "slow-1")
	f.sh("slow-1", slowUser)
	r := f.start("apply", "--yes")
	f.sh("slow-1", begun)
	began := time.Now()
	r.signal(syscall.SIGINT)
	time.Sleep(200 * time.Millisecond)
	r.signal(syscall.SIGINT)
	o := r.wait(exitInterrupted)
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("took %s to abandon", took)
	}
	contains(t, o.stdout, "  ! slow-1  in between, ", " of 11 changes made; the next apply finishes it: run command: abandoned",
		"        not yet  create user xmrig\n", "Apply: 0 of 1 host converged", "\nretry: ")
	for deadline := time.Now().Add(20 * time.Second); ; {
		o = f.run("apply", "--yes")
		if o.code != exitLocked || time.Now().After(deadline) {
			break
		}
	}
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
	f.sh("slow-1", begun)
	if err := f.lab.Host("slow-1").Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	o := r.wait(exitPartial)
	// The word of the second change may be lost with the cable.
	contains(t, o.stdout, "  ! slow-1  in between, ", " of 11 changes made; the next apply finishes it: ", "no sign of life for 12s",
		"Apply: 1 of 2 hosts converged", " -l slow-1\n")
	if err := f.lab.Host("slow-1").Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		o = f.run("apply", "--yes")
		if o.code != exitLocked && o.code != exitPartial || time.Now().After(deadline) {
			break
		}
	}
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
	f.sh("slow-1", slowUser+`; sed -i 's/sleep 3/sleep 15/' /usr/local/sbin/useradd`)
	o := f.mustRun(exitPartial, "apply", "--yes", "--timeout", "10s")
	contains(t, o.stdout, "  ! slow-1  in between, 2 of 11 changes made; the next apply finishes it: "+
		"run command: not done within --timeout 10s; the host finishes what it has begun\n",
		"Apply: 1 of 2 hosts converged", " -l slow-1\n")
	f.sh("slow-1", `until id xmrig; do sleep 0.1; done; rm /usr/local/sbin/useradd`)
	f.sh("mini-1", slowLogin)
	contains(t, f.mustRun(exitPartial, "plan", "--timeout", "5s").stdout,
		"  ! mini-1  start shell: not done within --timeout 5s", "  ~ slow-1", "1 host was not read.")
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
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(r.stdout.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("want %q, got:\n%s%s", text, r.stdout.String(), r.stderr.String())
		}
	}
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
	case <-time.After(time.Minute):
		r.t.Fatalf("it does not end:\n%s%s", r.stdout.String(), r.stderr.String())
	}
	o := outcome{r.stdout.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
	if o.code != code {
		r.t.Fatalf("want exit %d, got %v", code, o)
	}
	return o
}
