package executor

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// openSSH is a real sshd on the loopback; the test's user logs in to it.
type openSSH struct {
	config string // for ssh -F
	addr   string
	pid    int
}

// startSSHD starts an sshd. SHLVL keeps bash from reading its rc files, which it does for a shell of sshd's.
func startSSHD(t *testing.T, settings string) *openSSH {
	t.Helper()
	const program = "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		t.Skip("no OpenSSH server here: ", err)
	}
	if os.Getuid() != 0 {
		t.Skip("sshd lets only root log others in, and checks the owners of all directories")
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	user, userKey := sshtest.NewKey(t)
	host, hostKey := sshtest.NewKey(t)
	rsaKey := filepath.Join(dir, "rsa")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsaKey).CombinedOutput(); err != nil {
		t.Skipf("ssh-keygen: %v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	line := string(ssh.MarshalAuthorizedKey(host.PublicKey()))
	config := file("sshd_config", fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %s
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
LoginGraceTime 0
SetEnv SHLVL=1
MaxStartups 100
%s
`, port, rsaKey, file("host", string(hostKey)), file("authorized", string(ssh.MarshalAuthorizedKey(user.PublicKey()))), settings))
	os.MkdirAll("/run/sshd", 0o755)
	var log strings.Builder
	sshd := exec.Command(program, "-D", "-e", "-f", config)
	sshd.Stderr = &log
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	eventually(t, "sshd listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = c.Read(make([]byte, 1)) // from the process that serves the connection
		return err == nil
	})
	return &openSSH{pid: sshd.Process.Pid, addr: fmt.Sprintf("127.0.0.1:%d", port), config: file("config", fmt.Sprintf(`Host *
  HostName 127.0.0.1
  Port %d
  User root
  IdentitiesOnly yes
  IdentityAgent none
  IdentityFile %s
  UserKnownHostsFile %s
  GlobalKnownHostsFile none
`, port, file("id", string(userKey)), file("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", port, line))))}
}

func (o *openSSH) dialer(t *testing.T) *Dialer {
	d := &Dialer{SSHConfig: o.config, ConnectTimeout: minutes, runDir: filepath.Join(t.TempDir(), "run"), timing: ample}
	t.Cleanup(func() { d.Close() })
	return d
}

// sshd has two keys, of which one is known: that is the one to ask for.
func TestOpenSSH(t *testing.T) {
	for name, share := range map[string]bool{"own connection": false, "control socket": true} {
		t.Run(name, func(t *testing.T) { testOpenSSH(t, share) })
	}
}

func testOpenSSH(t *testing.T, share bool) {
	t.Parallel()
	server := startSSHD(t, "")
	d := server.dialer(t)
	if share {
		startMaster(t, server.config, "%C", nil)
	}
	s, results := open(t, d, "h", OpenOptions{Lock: maia, First: []modules.Command{sh(`echo "$1"; echo err >&2`, "it's")}})
	if got := text(results); got != "0 \"it's\\n\" \"err\\n\"\n" {
		t.Errorf("first: %s", got)
	}
	data := make([]byte, 8<<20)
	rand.Read(data)
	blob := modules.NewBlob(data)
	got := run(t, s,
		modules.Command{Script: `:`, Stdin: blob},
		modules.Command{Script: `sha256sum`, Stdin: blob},
		sh(`head -c 5242880 /dev/zero`),
		sh(`exit 3`),
		modules.Command{Script: `cat`, Stdin: blob})
	if got[0].Status != 0 || got[1].Stdout != blob.SHA256+"  -\n" || got[3].Status != 3 || got[4].Status != modules.NotRun {
		t.Errorf("payloads: %d %q %d %d", got[0].Status, got[1].Stdout, got[3].Status, got[4].Status)
	}
	if !strings.Contains(got[2].Stdout, "truncated") {
		t.Error("5 MiB of output are not cut")
	}
	if got := text(run(t, s, sh(`echo in step`))); got != "0 \"in step\\n\" \"\"\n" {
		t.Errorf("afterwards: %s", got)
	}
	refusalOf(t, d)
	s.Close()
	s, _ = open(t, d, "h", OpenOptions{Lock: maia})
	s.Close()
}

func refusalOf(t *testing.T, d *Dialer) {
	t.Helper()
	other := another(t, d)
	other.timing.wait = 0
	_, _, err := other.Open(t.Context(), Target{Name: "h"}, OpenOptions{Lock: maia})
	if hint.KindOf(err) != Locked {
		t.Errorf("a second run got %v", err)
	}
}

func TestOpenSSHLosesTheConnection(t *testing.T) {
	t.Parallel()
	d := startSSHD(t, "").dialer(t)
	s, _ := open(t, d, "h", OpenOptions{Lock: maia})
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	_, err := s.Run(ctx, func(int, modules.Result) { cancel(context.DeadlineExceeded) }, sh(`:`),
		sh(`until [ -e "$1/go" ]; do sleep 0.05; done; echo lost && seq 1 100000 && : >"$1/done"`, dir))
	if hint.KindOf(err) != TimedOut {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	open(t, another(t, d), "h", OpenOptions{Lock: maia})
	if _, err := os.Stat(filepath.Join(dir, "done")); err != nil {
		t.Error("the frame did not run to its end: ", err)
	}
}

// sshd hangs up on whoever comes while two others have not logged in yet. When
// they are gone, the second try succeeds.
func TestOpenSSHIsBusy(t *testing.T) {
	t.Parallel()
	server := startSSHD(t, "MaxStartups 2")
	d := server.dialer(t)
	alone := func() bool { return server.children(t) == "" }
	eventually(t, "the connection that tried whether sshd listens is gone", alone)
	var others []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", server.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		greeting := make([]byte, len("SSH-2.0-"))
		if _, err := io.ReadFull(c, greeting); err != nil || string(greeting) != "SSH-2.0-" {
			t.Fatalf("got %q, %v", greeting, err)
		}
		others = append(others, c)
	}
	var refused int
	d.Log = slog.New(onMessage{slog.DiscardHandler, "sshd is busy, trying again", func() {
		refused++
		for _, c := range others {
			c.Close()
		}
		eventually(t, "sshd is alone", alone)
	}})
	open(t, d, "h", OpenOptions{})
	if refused != 1 {
		t.Errorf("refused %d times, want once", refused)
	}
}

// children are the processes of the connections to sshd.
func (o *openSSH) children(t *testing.T) string {
	t.Helper()
	return read(t, fmt.Sprintf("/proc/%d/task/%d/children", o.pid, o.pid))
}

// onMessage is a log that does something when a message comes.
type onMessage struct {
	slog.Handler
	message string
	do      func()
}

func (o onMessage) Enabled(context.Context, slog.Level) bool { return true }

func (o onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == o.message {
		o.do()
	}
	return nil
}

// Over one master sshd allows two of them a session at a time; others log in.
func TestOpenSSHRefusesSessions(t *testing.T) {
	t.Parallel()
	server := startSSHD(t, "MaxSessions 2")
	m := startMaster(t, server.config, "%C", nil)
	openTwenty(t, server.dialer(t))
	if !m.alive() {
		t.Error("the master is gone")
	}
}

func openTwenty(t *testing.T, d *Dialer) {
	t.Helper()
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("h%d", i)
	}
	for i, out := range Each(t.Context(), names, 0, func(ctx context.Context, name string) (string, error) {
		s, results, err := d.Open(ctx, Target{Name: name}, OpenOptions{First: []modules.Command{sh(`echo "$1"`, name)}})
		if err != nil {
			return "", err
		}
		return results[0].Stdout, s.Close()
	}) {
		if out.Err != nil || out.Value != names[i]+"\n" {
			t.Errorf("%s: %q %v", names[i], out.Value, out.Err)
		}
	}
}

func TestOpenSSHAsBastion(t *testing.T) {
	t.Parallel()
	server := startSSHD(t, "MaxSessions 1")
	d := server.dialer(t)
	for _, out := range Each(t.Context(), make([]int, 12), 0, func(ctx context.Context, _ int) (string, error) {
		s, results, err := d.Open(ctx, Target{Name: "h", ProxyJump: "hop"}, OpenOptions{First: []modules.Command{sh(`echo ok`)}})
		if err != nil {
			return "", err
		}
		return results[0].Stdout, s.Close()
	}) {
		if out.Err != nil || out.Value != "ok\n" {
			t.Errorf("%q %v", out.Value, out.Err)
		}
	}
	// sshd's words, for a target that does not answer.
	e := failure(t, d, Target{Name: "h", ProxyJump: "hop", Port: 1})
	if want := "connect 127.0.0.1:1: hop cannot reach it: Connection refused"; e.Error() != want {
		t.Errorf("got %s, want %s", e, want)
	}
}

func TestOpenSSHRefuses(t *testing.T) {
	t.Parallel()
	d := startSSHD(t, "MaxAuthTries 2").dialer(t)
	dir := t.TempDir()
	target := Target{Name: "h"}
	config := read(t, d.SSHConfig)
	var wrong strings.Builder
	for i := range 5 {
		_, key := sshtest.NewKey(t)
		path := filepath.Join(dir, fmt.Sprint("wrong", i))
		os.WriteFile(path, key, 0o600)
		fmt.Fprintf(&wrong, "IdentityFile %s\n", path)
	}
	os.WriteFile(d.SSHConfig, []byte(wrong.String()+config), 0o600)
	e := failure(t, d, target)
	if e.Reason != AuthRefused || !strings.Contains(e.Error(), "too many keys were offered (") || !strings.Contains(e.Advice, "IdentitiesOnly yes") {
		t.Errorf("got %s: %s; %s", e.Reason, e, e.Advice)
	}
}
