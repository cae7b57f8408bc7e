package executor

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
)

// ample are limits that a slow or busy machine keeps. A test that is to see a
// limit pass shortens that one.
var ample = timing{
	start: minutes, keepalive: minutes, silence: minutes, beat: minutes, stale: 2 * minutes,
	wait: minutes, frame: 3 * minutes, close: minutes, touch: minutes,
}

const minutes = 5 * time.Minute

// dialer reaches the servers by their names, and holds locks in a directory of
// the test's own.
func dialer(t *testing.T, hosts map[string]*sshtest.Server) *Dialer {
	t.Helper()
	d := &Dialer{SSHConfig: sshtest.WriteConfig(t, hosts), ConnectTimeout: minutes, runDir: filepath.Join(t.TempDir(), "run"), timing: ample}
	if testing.Verbose() {
		d.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func open(t *testing.T, d *Dialer, name string, o OpenOptions) (*Shell, []modules.Result) {
	t.Helper()
	s, results, err := d.Open(t.Context(), Target{Name: name}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, results
}

// A way is how a host is reached, by a proxy if there is one.
type way func(*testing.T, *sshtest.Server, *sshtest.Proxy) (*Dialer, Target)

func byOwnConnection(t *testing.T, server *sshtest.Server, proxy *sshtest.Proxy) (*Dialer, Target) {
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	if proxy != nil {
		return d, at(proxy.Addr(), server)
	}
	return d, Target{Name: "h"}
}

func byControlSocket(t *testing.T, server *sshtest.Server, proxy *sshtest.Proxy) (*Dialer, Target) {
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	startMaster(t, d.SSHConfig, "%C", proxy)
	return d, Target{Name: "h"}
}

// eachWay runs a test for all ways.
func eachWay(t *testing.T, name string, test func(*testing.T, way)) {
	t.Run(name+" own connection", func(t *testing.T) { test(t, byOwnConnection) })
	t.Run(name+" control socket", func(t *testing.T) { test(t, byControlSocket) })
}

// host is a shell on a server of its own.
func host(t *testing.T, reach way) *Shell {
	t.Helper()
	d, target := reach(t, sshtest.Start(t, nil), nil)
	s, _ := open(t, d, target.Name, OpenOptions{})
	return s
}

// onBoth runs a test for shells that were reached in either way.
func onBoth(t *testing.T, test func(*testing.T, *Shell)) {
	eachWay(t, "by", func(t *testing.T, reach way) { test(t, host(t, reach)) })
}

func sh(script string, args ...string) modules.Command {
	return modules.Command{Script: script, Args: args}
}

func run(t *testing.T, s *Shell, cmds ...modules.Command) []modules.Result {
	t.Helper()
	results, err := s.Run(t.Context(), nil, cmds...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func text(results []modules.Result) string {
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%d %q %q\n", r.Status, r.Stdout, r.Stderr)
	}
	return b.String()
}

func TestOpenRunsFirst(t *testing.T) {
	server := sshtest.Start(t, &sshtest.Server{Rc: "echo welcome; echo 'last login' >&2; printf 'no newline'; PATH=/nowhere"})
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	s, results := open(t, d, "h", OpenOptions{First: []modules.Command{
		sh(`echo "$1,$2"; echo oops >&2`, "a b", "c'd"), sh(`printf here`), sh(`exit 3`), sh(`echo never`)}})
	want := `0 "a b,c'd\n" "oops\n"
0 "here" ""
3 "" ""
-1 "" ""
`
	if got := text(results); got != want {
		t.Errorf("first commands:\n%swant:\n%s", got, want)
	}
	if got := text(run(t, s, sh(`echo again`))); got != "0 \"again\\n\" \"\"\n" {
		t.Errorf("after a failure: %s", got)
	}
	if server.Conns.Load() != 1 || server.Execs.Load() != 1 {
		t.Errorf("%d connections and %d execs, want one of each", server.Conns.Load(), server.Execs.Load())
	}
}

func TestRun(t *testing.T) { onBoth(t, testRun) }

func testRun(t *testing.T, s *Shell) {
	stdin := func(script, text string) modules.Command {
		return modules.Command{Script: script, Stdin: modules.NewBlob([]byte(text))}
	}
	for _, test := range []struct {
		name string
		cmds []modules.Command
		want string
	}{
		{"environment", []modules.Command{sh(`echo "$PATH $LC_ALL $CDPATH$ENV"; umask; pwd`)},
			`0 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin C \n0022\n/\n" ""` + "\n"},
		{"variables stay inside", []modules.Command{sh(`r=5 N=x; f=1; step() { :; }; cd /tmp`), sh(`echo "$f$N$r"; pwd`)},
			"0 \"\" \"\"\n0 \"0\\n/\\n\" \"\"\n"},
		{"errexit counts", []modules.Command{sh(`set -e; false; echo after`), sh(`:`)}, "1 \"\" \"\"\n-1 \"\" \"\"\n"},
		{"syntax error", []modules.Command{sh(`if )`), sh(`:`)}, "2 \"\" \"/bin/sh: 1: eval: Syntax error: \\\")\\\" unexpected\\n\"\n-1 \"\" \"\"\n"},
		{"open quote and comment", []modules.Command{sh(`echo a #'`), sh("cat <<X\nhere\nX")}, "0 \"a\\n\" \"\"\n0 \"here\\n\" \"\"\n"},
		{"no standard input", []modules.Command{sh(`cat; read x || echo end`)}, "0 \"end\\n\" \"\"\n"},
		{"payload", []modules.Command{stdin(`cat`, "a\x00b\n"), sh(`echo next`)}, "0 \"a\\x00b\\n\" \"\"\n0 \"next\\n\" \"\"\n"},
		{"payload not read", []modules.Command{stdin(`:`, strings.Repeat("x", 3<<20)), stdin(`head -c 3; exit 4`, strings.Repeat("y", 3<<20)),
			stdin(`cat`, strings.Repeat("z", 1<<20)), sh(`echo never`)}, "0 \"\" \"\"\n4 \"yyy\" \"\"\n-1 \"\" \"\"\n-1 \"\" \"\"\n"},
		{"all in step again", []modules.Command{sh(`echo ok`)}, "0 \"ok\\n\" \"\"\n"},
		{"killed by SIGPIPE as ever", []modules.Command{sh(`yes | head -n 1`)}, "0 \"y\\n\" \"\"\n"},
		{"signal", []modules.Command{sh(`kill -s TERM $(exec sh -c 'echo $PPID')`)}, "143 \"\" \"Terminated\\n\"\n"},
		{"exec in a script", []modules.Command{sh(`exec false`)}, "1 \"\" \"\"\n"},
		{"nothing", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := text(run(t, s, test.cmds...)); got != test.want {
				t.Errorf("got:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

func TestNULIsRefused(t *testing.T) { onBoth(t, testNULIsRefused) }

func testNULIsRefused(t *testing.T, s *Shell) {
	_, err := s.Run(t.Context(), nil, sh(`echo`, "a\x00b"))
	if want := "send command: argument 1 has a NUL byte, which no shell can carry"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := text(run(t, s, sh(`echo ok`))); got != "0 \"ok\\n\" \"\"\n" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestArgumentsSurvive(t *testing.T) { onBoth(t, testArgumentsSurvive) }

func testArgumentsSurvive(t *testing.T, s *Shell) {
	args := []string{"", " ", "'", `"`, `\`, "$HOME", "`id`", "a\nb", "\n", "*", "~", "-n", "--", "!x", "#", "ü", "\xff\xfe", "\r", "\t\x01\x7f"}
	for range 200 {
		b := make([]byte, 40)
		rand.Read(b)
		args = append(args, strings.ReplaceAll(string(b), "\x00", "0"))
	}
	results := run(t, s, sh(`for a; do printf '%s' "$a" | od -An -tx1 | tr -d ' \n'; echo; done`, args...))
	var want strings.Builder
	for _, a := range args {
		fmt.Fprintf(&want, "%x\n", a)
	}
	if results[0].Stdout != want.String() {
		t.Error("arguments were changed on the way")
	}
}

func TestLargePayload(t *testing.T) { onBoth(t, testLargePayload) }

func testLargePayload(t *testing.T, s *Shell) {
	data := make([]byte, 8<<20)
	rand.Read(data)
	blob := modules.NewBlob(data)
	results := run(t, s, modules.Command{Script: `sha256sum`, Stdin: blob})
	if want := blob.SHA256 + "  -\n"; results[0].Stdout != want {
		t.Errorf("got %q, want %q", results[0].Stdout, want)
	}
}

func TestOpenWithPayloadAndLongScript(t *testing.T) {
	d := dialer(t, map[string]*sshtest.Server{"h": sshtest.Start(t, nil)})
	noise := make([]byte, 200<<10)
	rand.Read(noise)
	long := fmt.Sprintf(": %x\necho long", noise)
	_, results := open(t, d, "h", OpenOptions{First: []modules.Command{
		{Script: `cat`, Stdin: modules.NewBlob([]byte("in"))}, sh(long), sh("echo end")}})
	if got, want := text(results), "0 \"in\" \"\"\n0 \"long\\n\" \"\"\n0 \"end\\n\" \"\"\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestOutputIsBounded(t *testing.T) { onBoth(t, testOutputIsBounded) }

func testOutputIsBounded(t *testing.T, s *Shell) {
	results := run(t, s, sh(`head -c 5242880 /dev/zero; head -c 2000000 /dev/zero >&2`), sh(`echo next`))
	for _, got := range []string{results[0].Stdout, results[0].Stderr} {
		if len(got) > maxOutput+100 || !strings.Contains(got, "truncated: ") {
			t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-50:])
		}
	}
	if results[1].Stdout != "next\n" {
		t.Errorf("next command: %+v", results[1])
	}
}

func TestResultsStream(t *testing.T) { onBoth(t, testResultsStream) }

func testResultsStream(t *testing.T, s *Shell) {
	dir := t.TempDir()
	seen := make(chan int, 2)
	go func() {
		if <-seen == 0 {
			os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), minutes)
	defer cancel()
	_, err := s.Run(ctx, func(i int, _ modules.Result) { seen <- i },
		sh(`echo first`), sh(`until [ -e "$1/go" ]; do sleep 0.01; done`, dir))
	if err != nil {
		t.Errorf("the first result did not arrive before the second: %v", err)
	}
}

func TestManyResultsWhileSending(t *testing.T) { onBoth(t, testManyResultsWhileSending) }

func testManyResultsWhileSending(t *testing.T, s *Shell) {
	blob := modules.NewBlob(bytes.Repeat([]byte("payload\n"), 1000))
	cmds := make([]modules.Command, 300)
	for i := range cmds {
		cmds[i] = modules.Command{Script: `cat`, Stdin: blob}
	}
	for i, r := range run(t, s, cmds...) {
		if len(r.Stdout) != 8000 {
			t.Fatalf("command %d printed %d bytes", i, len(r.Stdout))
		}
	}
}
