package executor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

var maia = &Holder{User: "maia", Machine: "laptop", PID: 4711, Run: "7f3a", Command: "xmrfleet apply"}

// hurried is a dialer that beats often and does not wait for a lock.
func hurried(t *testing.T, server *sshtest.Server) *Dialer {
	t.Helper()
	if _, err := os.Stat("/proc/uptime"); err != nil {
		t.Skip("the lock needs /proc: ", err)
	}
	return hurry(dialer(t, map[string]*sshtest.Server{"h": server}))
}

func hurry(d *Dialer) *Dialer {
	d.timing.beat = 200 * time.Millisecond
	d.timing.wait = 0
	return d
}

// another dialer competes for the same locks.
func another(t *testing.T, d *Dialer) *Dialer {
	t.Helper()
	other := &Dialer{SSHConfig: d.SSHConfig, ConnectTimeout: d.ConnectTimeout, runDir: d.runDir, timing: d.timing, Log: d.Log}
	t.Cleanup(func() { other.Close() })
	return other
}

func refusal(t *testing.T, d *Dialer, kind Kind) *Error {
	t.Helper()
	s, _, err := d.Open(t.Context(), Target{Name: "h"}, OpenOptions{Lock: maia})
	if err == nil {
		s.Close()
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind() != kind {
		t.Fatalf("got error %v of kind %q, want %q", err, hint.KindOf(err), kind)
	}
	return e
}

func TestLockHasOneHolder(t *testing.T) { eachWay(t, "by", testLockHasOneHolder) }

func testLockHasOneHolder(t *testing.T, reach way) {
	t.Parallel()
	d, _ := reach(t, sshtest.Start(t, nil), nil)
	hurry(d)
	d.timing.stale = 5 * time.Second
	began := time.Now()
	first, results := open(t, d, "h", OpenOptions{Lock: maia, First: []modules.Command{sh(`echo "$H"; cat "$1"`, d.runDir+"/holder")}})
	if got := results[0].Stdout; !strings.HasPrefix(got, "\n"+`{"user":"maia","machine":"laptop","pid":4711,"run":"7f3a","command":"xmrfleet apply"}`+"\n") || !strings.Contains(got, " busy ") {
		t.Errorf("record: %q", got)
	}
	// Longer than the silence that counts as an end: the beats keep it.
	eventually(t, "beats", func() bool { return record(t, d).mark-record(t, d).since > 6 })
	e := refusal(t, another(t, d), Locked)
	if e.Holder == nil || e.Holder.User != "maia" || e.Holder.Held < 5*time.Second || e.Holder.Held > time.Since(began)+2*time.Second {
		t.Errorf("holder: %+v", e.Holder)
	}
	if want := "held by maia@laptop: xmrfleet apply, run 7f3a, pid 4711, for "; !strings.HasPrefix(e.Err.Error(), want) {
		t.Errorf("error %q, want %q", e.Err, want)
	}
	plan, _ := open(t, another(t, d), "h", OpenOptions{})
	if r := run(t, plan, sh(`echo read`)); r[0].Stdout != "read\n" {
		t.Errorf("a shell without the lock: %+v", r)
	}
	first.Close()
	second, _ := open(t, another(t, d), "h", OpenOptions{Lock: maia})
	second.Close()
	if _, err := os.Stat(filepath.Join(d.runDir, "holder")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record outlives its holder: %v", err)
	}
}

// What is asked of a shell in vain does not keep it from giving the lock back.
func TestLockIsGivenBackAfterAnAbandonedRun(t *testing.T) {
	d := hurried(t, sshtest.Start(t, nil))
	for range 20 { // half of them took the turn and kept it
		s, _ := open(t, d, "h", OpenOptions{Lock: maia})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Run(ctx, nil, sh("echo never")); hint.KindOf(err) != Canceled {
			t.Fatal(err)
		}
		began := time.Now()
		s.Close()
		if took := time.Since(began); took > d.timing.close/2 {
			t.Fatalf("Close took %s", took)
		}
	}
}

func TestLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := hurried(t, server)
	d.timing.wait = minutes
	first, _ := open(t, d, "h", OpenOptions{Lock: maia})
	go func() {
		eventually(t, "the second shell", func() bool { return server.Execs.Load() == 2 })
		first.Close()
	}()
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
}

func TestLockWithoutRecord(t *testing.T) {
	t.Parallel()
	d := hurried(t, sshtest.Start(t, nil))
	s, _ := open(t, d, "h", OpenOptions{Lock: maia})
	s.Close()
	f, err := os.OpenFile(filepath.Join(d.runDir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	// What an earlier holder left behind says nothing about this one.
	os.WriteFile(filepath.Join(d.runDir, "holder"), []byte("{\"user\":\"maia\"}\n999999 1 1 idle 1\n"), 0o644)
	if e := refusal(t, d, Locked); e.Holder != nil || !strings.Contains(e.Error(), "left no record") {
		t.Errorf("got %v", e)
	}
}

func TestDaemonDoesNotKeepTheLock(t *testing.T) {
	t.Parallel()
	d := hurried(t, sshtest.Start(t, nil))
	s, _ := open(t, d, "h", OpenOptions{Lock: maia})
	for _, r := range run(t, s, sh(`sleep 60 >/dev/null 2>&1 & echo $!`), modules.Command{
		Script: `cat; setsid sleep 60 >/dev/null 2>&1 & echo $!`, Stdin: modules.NewBlob([]byte(" "))}) {
		pid, err := strconv.Atoi(strings.TrimSpace(r.Stdout))
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Kill(pid, syscall.SIGKILL)
	}
	s.Close()
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
}

// A connection that breaks in the middle of a frame leaves a host where the
// frame ran to its end, though nobody reads its output, and where the lock is
// free.
func TestFrameEndsAfterTheConnectionBroke(t *testing.T) { eachWay(t, "by", testFrameEnds) }

func testFrameEnds(t *testing.T, reach way) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d, _ := reach(t, server, nil)
	hurry(d)
	s, _ := open(t, d, "h", OpenOptions{Lock: maia})
	dir := t.TempDir()
	got, err := s.Run(t.Context(), func(int, modules.Result) { server.Drop() },
		sh(`echo before`),
		sh(`until [ -e "$1/go" ]; do sleep 0.05; done; echo lost; echo lost >&2; echo more && : >"$1/a"`, dir),
		sh(`seq 1 100000 && : >"$1/b"`, dir))
	if hint.KindOf(err) != Lost {
		t.Fatalf("got error %v, want a lost connection", err)
	}
	if want := "0 \"before\\n\" \"\"\n-2 \"\" \"\"\n-2 \"\" \"\"\n"; text(got) != want {
		t.Errorf("got:\n%swant:\n%s", text(got), want)
	}
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	d.timing.wait = minutes
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
	for _, name := range []string{"a", "b"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the frame did not run to its end: %v", err)
		}
	}
}

// at is the server as seen at another address.
func at(address string, server *sshtest.Server) Target {
	host, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return Target{Name: "h", Address: host, Port: n, HostKeys: []string{server.HostKeyLine()}}
}

// A holderRecord is what the file of a lock's holder says, in seconds.
type holderRecord struct {
	text, state string
	since, mark float64
}

func record(t *testing.T, d *Dialer) (r holderRecord) {
	t.Helper()
	r.text = strings.TrimSpace(read(t, filepath.Join(d.runDir, "holder")))
	_, times, _ := strings.Cut(r.text, "\n")
	var pid, start string
	if _, err := fmt.Sscan(times, &pid, &start, &r.since, &r.state, &r.mark); err != nil {
		t.Fatalf("%v: %q", err, r.text)
	}
	return r
}

// age makes the holder of the lock one that was to give a sign of life hours
// ago.
func age(t *testing.T, d *Dialer) {
	t.Helper()
	r := record(t, d)
	text := fmt.Sprintf("%s %.0f\n", r.text[:strings.LastIndexByte(r.text, ' ')], r.mark-3*3600)
	if err := os.WriteFile(filepath.Join(d.runDir, "holder"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// gone makes a holder whose link was cut: the server keeps its end open.
func gone(t *testing.T, d *Dialer, server *sshtest.Server, frame ...modules.Command) {
	t.Helper()
	proxy := sshtest.Forward(t, server.Addr())
	quiet := another(t, d)
	quiet.timing.beat = minutes
	s, _, err := quiet.Open(t.Context(), at(proxy.Addr(), server), OpenOptions{Lock: maia})
	if err != nil {
		t.Fatal(err)
	}
	if len(frame) > 0 {
		go s.Run(t.Context(), nil, frame...)
		eventually(t, "the frame", func() bool { return record(t, d).state == "busy" })
	}
	proxy.Cut()
}

func TestSilentHolderIsEnded(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := hurried(t, server)
	gone(t, d, server)
	refusal(t, another(t, d), Locked)
	age(t, d)
	_, results := open(t, another(t, d), "h", OpenOptions{Lock: maia, First: []modules.Command{sh(`echo mine`)}})
	if text(results) != "0 \"mine\\n\" \"\"\n" {
		t.Errorf("first commands after the takeover: %s", text(results))
	}
}

func TestOverdueHolderIsEnded(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := hurried(t, server)
	dir := t.TempDir()
	gone(t, d, server, sh(`sleep 6000 | cat; exit 1`), sh(`: >"$1/second"`, dir))
	refusal(t, another(t, d), Locked)
	age(t, d)
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
	if _, err := os.Stat(filepath.Join(dir, "second")); err == nil {
		t.Error("the frame went on after its hung command was ended")
	}
}

// What a command that ignores signals leaves behind must not hold the lock.
func TestDeafHolderIsEnded(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := hurried(t, server)
	gone(t, d, server, sh(`trap '' TERM; while :; do sleep 1; done`))
	age(t, d)
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
}

func TestLockThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	d := hurried(t, sshtest.Start(t, nil))
	os.WriteFile(d.runDir, nil, 0o600)
	e := refusal(t, d, NoShell)
	if want := "lock " + d.runDir + ": mkdir: cannot create directory '" + d.runDir + "': File exists"; e.Error() != want {
		t.Errorf("got %q, want %q", e.Error(), want)
	}
}

func TestHolderHint(t *testing.T) {
	t.Parallel()
	const done = "wait until it is done; "
	for _, test := range []struct{ record, want string }{
		{"700.5\n{}\n1 1 600 idle 699\n", done + "a run that died loses the lock after 30s"},
		{"700\n{}\n1 1 600 busy 1500\n", done + "even a run that died finishes what it has begun, for 13m50s at most"},
		{"700\n{}\n1 1 600 busy 690\n", done + "even a run that died finishes what it has begun, for 20s at most"},
		{"700\n{}\n1 1 600 busy 600\n", done + "a run that died loses the lock after 30s"},
	} {
		if got := parseHolder(test.record).hint(defaults.stale); got != test.want {
			t.Errorf("%q: got %s\nwant %s", test.record, got, test.want)
		}
	}
}
