package executor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// A page is output that can be read while it grows.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(minutes); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

func TestStream(t *testing.T) {
	d := dialer(t, map[string]*sshtest.Server{"h": sshtest.Start(t, &sshtest.Server{Rc: "echo welcome"})})
	for _, test := range []struct{ script, want string }{
		{`echo "$1"; printf oops >&2`, `0 "it's\n" "oops"`},
		{`exit 7`, `7 "" ""`},
		{`exec no-such-program`, `127 "" "sh: 1: exec: no-such-program: not found\n"`},
		{`cat; read x || echo end`, `0 "end\n" ""`},
		{`kill -s KILL $$`, `137 "" ""`},
		{`kill -s INT $$; echo not reached`, `0 "not reached\n" ""`}, // as nohup's
		{`echo "$N$H$LC_ALL"; pwd`, `0 "C\n/\n" ""`},
		{`sleep 60 & echo begun`, `0 "begun\n" ""`},
		{`head -c 3000000 /dev/zero | tr '\0' x | wc -c; printf %s`, `0 "3000000\n" ""`},
	} {
		s, _ := open(t, d, "h", OpenOptions{})
		var stdout, stderr page
		status, err := s.Stream(t.Context(), &stdout, &stderr, test.script, "it's")
		if got := fmt.Sprintf("%d %q %q", status, stdout.String(), stderr.String()); got != test.want || err != nil {
			t.Errorf("%s\n got %s, %v\nwant %s", test.script, got, err, test.want)
		}
		if _, err := s.Run(t.Context(), nil, sh("echo again")); hint.KindOf(err) != Lost {
			t.Errorf("the shell is still there: %v", err)
		}
	}
}

// What a command prints comes at once, and all of it, however much.
func TestStreamIsLive(t *testing.T) { onBoth(t, testStreamIsLive) }

func testStreamIsLive(t *testing.T, s *Shell) {
	dir := t.TempDir()
	var stdout page
	done := make(chan error)
	go func() {
		_, err := s.Stream(t.Context(), &stdout, &page{},
			`printf 'no newline'; until [ -e "$1/go" ]; do sleep 0.01; done; head -c 3000000 /dev/zero`, dir)
		done <- err
	}()
	eventually(t, "the first words", func() bool { return stdout.String() == "no newline" })
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := len(stdout.String()); got != 3000010 {
		t.Errorf("%d bytes", got)
	}
}

// family is a command with a child, both of which note their pids; the child
// does not mind SIGTERM.
const family = `(trap '' TERM; exec sleep 600) & echo $! >"$1/child"; echo $$ >"$1/parent"; echo begun; wait`

func ended(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"parent", "child"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// A command ends with ctx, and with the connection, whole.
func TestStreamEndsTheCommand(t *testing.T) {
	stop := fmt.Errorf("interrupted")
	for name, end := range map[string]struct {
		by   func(cancel context.CancelCauseFunc, server *sshtest.Server, proxy *sshtest.Proxy)
		want string
	}{
		"canceled": {func(cancel context.CancelCauseFunc, _ *sshtest.Server, _ *sshtest.Proxy) { cancel(stop) },
			"run command: interrupted"},
		"dropped": {func(_ context.CancelCauseFunc, server *sshtest.Server, _ *sshtest.Proxy) { server.Drop() },
			"run command: the host closed the connection"},
		"cut": {func(_ context.CancelCauseFunc, _ *sshtest.Server, proxy *sshtest.Proxy) { proxy.Cut() },
			"run command: no sign of life for 5s"},
	} {
		eachWay(t, name, func(t *testing.T, reach way) {
			t.Parallel()
			server := sshtest.Start(t, nil)
			proxy := sshtest.Forward(t, server.Addr())
			d, target := reach(t, server, proxy)
			d.timing.beat, d.timing.stale = 200*time.Millisecond, 5*time.Second
			d.timing.keepalive, d.timing.silence = 200*time.Millisecond, 5*time.Second
			s, _, err := d.Open(t.Context(), target, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var stdout page
			go func() {
				eventually(t, "the command", func() bool { return stdout.String() == "begun\n" })
				time.Sleep(6 * time.Second) // longer than the host waits for us
				end.by(cancel, server, proxy)
			}()
			status, err := s.Stream(ctx, &stdout, &page{}, family, dir)
			if err == nil || err.Error() != end.want || status != Unknown {
				t.Errorf("got %d, %v, want %s", status, err, end.want)
			}
			ended(t, dir)
		})
	}
}

func TestStreamTimesOut(t *testing.T) { onBoth(t, testStreamTimesOut) }

func testStreamTimesOut(t *testing.T, s *Shell) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var stdout page
	go func() {
		eventually(t, "the command", func() bool { return stdout.String() == "begun\n" })
		cancel(context.DeadlineExceeded)
	}()
	_, err := s.Stream(ctx, &stdout, &page{}, `echo begun; exec sleep 6000`)
	if want := "run command: context deadline exceeded; the host ends it"; err == nil || err.Error() != want || hint.KindOf(err) != TimedOut {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A login shell is that of the user, whatever sudo says.
func TestLoginShell(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can run a command as somebody else")
	}
	server := sshtest.Start(t, &sshtest.Server{UID: 65534})
	s, results := open(t, dialer(t, map[string]*sshtest.Server{"h": server}), "h",
		OpenOptions{Login: true, First: []modules.Command{sh(`id -u`)}})
	if got := text(results); got != "0 \"65534\\n\" \"\"\n" {
		t.Errorf("first: %s", got)
	}
	var stdout page
	if _, err := s.Stream(t.Context(), &stdout, &page{}, `id -u`); err != nil || stdout.String() != "65534\n" {
		t.Errorf("stream: %q, %v", stdout.String(), err)
	}
}
