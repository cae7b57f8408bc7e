package executor

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
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

// A master is a live OpenSSH master of the test's own.
type master struct {
	t      *testing.T
	config string
	socket string
	cmd    *exec.Cmd
	log    bytes.Buffer // read after the master has ended
}

// startMaster makes config's hosts share connections by path, below a
// directory of the test's own, and logs in to h, by way of proxy if there is
// one.
func startMaster(t *testing.T, config, path string, proxy *sshtest.Proxy) *master {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip(err)
	}
	m := &master{t: t, config: config}
	dir, err := os.MkdirTemp("", "") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	prepend(t, config, "ControlPath "+filepath.Join(dir, path)+"\n")
	out, err := exec.Command("ssh", "-G", "-F", config, "h").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(out), "\ncontrolpath ")
	m.socket, _, _ = strings.Cut(rest, "\n")
	args := []string{"-F", config, "-M", "-N", "-S", m.socket}
	if proxy != nil {
		host, port, _ := net.SplitHostPort(proxy.Addr())
		args = append(args, "-o", "HostName="+host, "-p", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
	}
	m.cmd = exec.Command("ssh", append(args, "h")...)
	m.cmd.Stdout, m.cmd.Stderr = &m.log, &m.log
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.cmd.Process.Kill()
		m.cmd.Wait()
		if t.Failed() {
			t.Log(m.log.String())
		}
	})
	eventually(t, "a master", func() bool { return m.alive() })
	return m
}

// prepend adds text to an ssh configuration.
func prepend(t *testing.T, config, text string) {
	t.Helper()
	if err := os.WriteFile(config, []byte(text+read(t, config)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alive asks the master as ssh does.
func (m *master) alive() bool {
	return exec.Command("ssh", "-F", m.config, "-S", m.socket, "-O", "check", "h").Run() == nil
}

// shared is a server with a master, and a dialer that uses it.
func shared(t *testing.T, server *sshtest.Server) (*Dialer, *master) {
	t.Helper()
	sshtest.Start(t, server)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	return d, startMaster(t, d.SSHConfig, "%C", nil)
}

// logged is the text that a dialer's log gets.
func logged(d *Dialer) *page {
	var p page
	d.Log = slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return &p
}

func TestControlSocket(t *testing.T) {
	t.Parallel()
	server := &sshtest.Server{}
	d, m := shared(t, server)
	log := logged(d)
	s, results := open(t, d, "h", OpenOptions{Lock: maia, First: []modules.Command{sh(`echo "$1"; echo oops >&2; exit 3`, "it's")}})
	if got, want := text(results), "3 \"it's\\n\" \"oops\\n\"\n"; got != want {
		t.Errorf("first commands: %swant %s", got, want)
	}
	if got := text(run(t, s, sh(`echo again`))); got != "0 \"again\\n\" \"\"\n" {
		t.Errorf("second frame: %s", got)
	}
	refusalOf(t, d)
	s.Close()
	open(t, d, "h", OpenOptions{Lock: maia})
	if n := server.Conns.Load(); n != 1 {
		t.Errorf("%d connections, want the master's alone", n)
	}
	if want := `msg="over the control socket" host=h socket=` + m.socket; !strings.Contains(log.String(), want) {
		t.Errorf("want %s in the log:\n%s", want, log)
	}
}

// What is no live master of ours is left alone, and said so.
func TestControlSocketIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		target Target
		spoil  func(t *testing.T, m *master)
		cause  string
	}{
		{"stale", Target{}, func(t *testing.T, m *master) { m.cmd.Process.Kill(); m.cmd.Wait() }, `"connection refused"`},
		{"gone", Target{}, func(t *testing.T, m *master) { os.Remove(m.socket) }, `"no such file or directory"`},
		{"a file", Target{}, func(t *testing.T, m *master) {
			os.Remove(m.socket)
			os.WriteFile(m.socket, nil, 0o600)
		}, `"not a socket"`},
		{"a link", Target{}, func(t *testing.T, m *master) {
			os.Rename(m.socket, m.socket+".moved")
			os.Symlink(m.socket+".moved", m.socket)
		}, `"not a socket"`},
		{"another's", Target{}, func(t *testing.T, m *master) {
			if err := os.Chown(m.socket, 65534, -1); err != nil {
				t.Skip(err)
			}
		}, `"it belongs to user 65534"`},
		{"open to others", Target{}, func(t *testing.T, m *master) { os.Chmod(m.socket, 0o660) }, `"others may write to it (mode 0660)"`},
		{"stopped", Target{}, func(t *testing.T, m *master) { m.cmd.Process.Signal(syscall.SIGSTOP) }, `"no answer within 10s"`},
		{"no master", Target{}, func(t *testing.T, m *master) { impostor(t, m.socket, "SSH-2.0-") }, `"a message of 1397966893 bytes"`},
		{"closes", Target{}, func(t *testing.T, m *master) { impostor(t, m.socket, "") }, `"the master hung up"`},
		{"unchecked", Target{}, func(t *testing.T, m *master) { prepend(t, m.config, "StrictHostKeyChecking no\n") },
			`"StrictHostKeyChecking is off, so nobody checked the host's key"`},
		{"asks", Target{}, func(t *testing.T, m *master) { prepend(t, m.config, "ControlMaster ask\n") }, `"ControlMaster asks somebody about each session"`},
		{"asks, if it is made", Target{}, func(t *testing.T, m *master) { prepend(t, m.config, "ControlMaster autoask\n") }, `"ControlMaster asks somebody about each session"`},
		{"pinned", Target{HostKeys: []string{"the server's"}}, func(*testing.T, *master) {}, `"only a connection of our own can check host_key"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := &sshtest.Server{}
			d, m := shared(t, server)
			if test.name == "stopped" {
				d.ConnectTimeout = 10 * time.Second
			}
			log := logged(d)
			test.spoil(t, m)
			before, _ := os.Lstat(m.socket)
			if test.target.Name = "h"; test.target.HostKeys != nil {
				test.target.HostKeys = []string{server.HostKeyLine()}
			}
			s, _, err := d.Open(t.Context(), test.target, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if n := server.Conns.Load(); n != 2 {
				t.Errorf("%d connections, want one of our own beside the master's", n)
			}
			if want := `msg="the control socket is not used" host=h socket=` + m.socket + ` cause=` + test.cause; !strings.Contains(log.String(), want) {
				t.Errorf("want %s in the log:\n%s", want, log)
			}
			if after, _ := os.Lstat(m.socket); (before == nil) != (after == nil) || before != nil && !os.SameFile(before, after) {
				t.Error("the socket was touched")
			}
		})
	}
}

// impostor listens at path and says one word.
func impostor(t *testing.T, path, word string) {
	t.Helper()
	os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(path, 0o600)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 100))
			c.Write([]byte(word))
			c.Close()
		}
	}()
}

// A path that does not depend on what the fleet says of a host may lead to
// another host, or to another user's session.
func TestControlPathTellsHostsApart(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	n, _ := strconv.Atoi(port(server))
	same := func(what string) string {
		return "the " + what + " is fleet.hcl's, and ControlPath is the same without it"
	}
	const used, none = "<nil>", "no such file or directory"
	for _, test := range []struct {
		path   string
		target Target
		want   string
	}{
		{"fixed", Target{}, used},
		{"fixed", Target{User: "leo"}, same("user")},
		{"fixed", Target{User: "tester", Port: n, Address: "127.0.0.1"}, used},
		{"fixed", Target{Address: "localhost"}, same("address")},
		{"%h-%p", Target{User: "leo"}, same("user")},
		{"%r-%n", Target{User: "leo"}, none},
		{"%n", Target{Address: "localhost"}, same("address")},
		{"%C", Target{Address: "localhost"}, none},
		{"fixed", Target{ProxyJump: "none"}, used},
		{"fixed", Target{ProxyJump: "hop"}, same("proxy_jump")},
	} {
		d := dialer(t, map[string]*sshtest.Server{"h": server})
		startMaster(t, d.SSHConfig, test.path, nil)
		d.init()
		test.target.Name = "h"
		e, err := d.resolve(t.Context(), test.target)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.mayShare(t.Context(), e); fmt.Sprint(err) != test.want {
			t.Errorf("%s, %+v: got %v, want %s", test.path, test.target, err, test.want)
		}
	}
}

// Whatever becomes of our session, the user's master goes on.
func TestMasterSurvives(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		settings string // of sshd
		limit    time.Duration
		held     bool // the host hears of the session only after Open has returned
		cancel   bool
		kind     Kind
		want     string
	}{
		{"closed", "", minutes, false, false, "", `msg="over the control socket"`},
		{"refused", "MaxSessions 0", minutes, false, false, NoShell, `cause="refused: Session open refused by peer"`},
		{"canceled", "", minutes, true, true, Canceled, `cause="context canceled"`},
		{"too slow", "", 10 * time.Second, true, false, "", `cause="no answer within 10s"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sshd := startSSHD(t, test.settings)
			d := sshd.dialer(t)
			d.ConnectTimeout = test.limit
			proxy := sshtest.Forward(t, sshd.addr)
			m := startMaster(t, sshd.config, "%C", proxy)
			log := logged(d)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			proxy.Settle() // so that what is pending next is the request
			proxy.Hold()
			go func() {
				eventually(t, "the request for a session", func() bool { return proxy.Pending() > 0 })
				if test.cancel {
					cancel()
				}
				if !test.held {
					proxy.Release()
				}
			}()
			s, _, err := d.Open(ctx, Target{Name: "h"}, OpenOptions{Lock: maia})
			if err == nil {
				s.Close()
			}
			proxy.Release()
			if hint.KindOf(err) != test.kind {
				t.Errorf("got error %v, want one of kind %q", err, test.kind)
			}
			early := test.cancel && !strings.Contains(log.String(), "control socket") // a late word of the master was taken for the request
			if !early && !strings.Contains(log.String(), test.want) {
				t.Errorf("want %s in the log:\n%s", test.want, log)
			}
			proxy.Settle() // what is under way arrives
			if !m.alive() {
				t.Error("the master is gone")
			}
			if test.kind != NoShell {
				open(t, another(t, d), "h", OpenOptions{Lock: maia}) // nothing of ours is left
			}
		})
	}
}

// A shell needs the master, not its socket; a master that stops is noticed.
func TestShellOutlivesTheSocket(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	d := dialer(t, map[string]*sshtest.Server{"h": server})
	m := startMaster(t, d.SSHConfig, "%C", nil)
	d.timing.keepalive, d.timing.silence = 100*time.Millisecond, 5*time.Second
	first, _ := open(t, d, "h", OpenOptions{})
	if err := os.Rename(m.socket, m.socket+".moved"); err != nil {
		t.Fatal(err)
	}
	if got := text(run(t, first, sh(`sleep 6; echo here`))); got != "0 \"here\\n\" \"\"\n" {
		t.Errorf("got %s", got)
	}
	if err := os.Rename(m.socket+".moved", m.socket); err != nil {
		t.Fatal(err)
	}
	second, _ := open(t, d, "h", OpenOptions{})
	m.cmd.Process.Signal(syscall.SIGSTOP)
	_, err := second.Run(t.Context(), nil, sh(`:`))
	if want := "run command: no sign of life for 5s"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
