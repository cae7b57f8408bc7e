package executor

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// openSSH is a real sshd on the loopback; the test's user logs in to it.
type openSSH struct {
	config string // for ssh -F
	addr   string
}

// startSSHD starts an sshd. Of settings that come twice the first counts. SHLVL
// keeps bash from reading its rc files, which it does for a shell of sshd's.
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
%s
MaxStartups 100
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
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return &openSSH{addr: fmt.Sprintf("127.0.0.1:%d", port), config: file("config", fmt.Sprintf(`Host *
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
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Run(ctx, nil, sh(`sleep 1; echo lost && seq 1 100000 && : >"$1/done"`, dir))
	if hint.KindOf(err) != TimedOut {
		t.Fatal(err)
	}
	again := another(t, d)
	again.timing.wait = 5 * time.Second
	open(t, again, "h", OpenOptions{Lock: maia})
	if _, err := os.Stat(filepath.Join(dir, "done")); err != nil {
		t.Error("the frame did not run to its end: ", err)
	}
}

// Twenty hosts that are one machine: sshd hangs up on some, and they try again.
func TestOpenSSHIsBusy(t *testing.T) {
	t.Parallel()
	openTwenty(t, startSSHD(t, "MaxStartups 10:30:60").dialer(t))
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
