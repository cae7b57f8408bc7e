package port

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// header is the first line of /proc/net/tcp.
const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// socket is a line of /proc/net/tcp on a machine of this byte order.
func socket(local, state string, inode int) string {
	host, port, _ := net.SplitHostPort(local)
	var n int
	fmt.Sscan(port, &n)
	ip := net.ParseIP(host)
	if ip.To4() != nil && !strings.Contains(host, ":") {
		ip = ip.To4()
	}
	var words strings.Builder
	for i := 0; i < len(ip); i += 4 {
		fmt.Fprintf(&words, "%02X%02X%02X%02X", ip[i+3], ip[i+2], ip[i+1], ip[i])
	}
	return fmt.Sprintf("   0: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 0 100 0 0 10 0\n", &words, n, state, inode)
}

// A machine is a directory with the files of proc(5).
type machine struct {
	t   *testing.T
	dir string
}

func (m machine) file(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) process(pid, inode int, group, exe string) {
	m.t.Helper()
	m.file(fmt.Sprintf("%d/cgroup", pid), group+"\n")
	m.file(fmt.Sprintf("%d/comm", pid), "comm\n")
	m.file(fmt.Sprintf("%d/fd/0", pid), "")
	links := map[string]string{"fd/7": fmt.Sprintf("socket:[%d]", inode), "exe": exe}
	for name, to := range links {
		if to == "" {
			continue
		}
		if err := os.Symlink(to, filepath.Join(m.dir, fmt.Sprint(pid), name)); err != nil {
			m.t.Fatal(err)
		}
	}
}

func TestForeign(t *testing.T) {
	const (
		listen, established = "0A", "01"
		xmrig               = "0::/system.slice/xmrig.service"
	)
	tests := []struct {
		name      string
		tcp, tcp6 string
		pid       int
		want      string // "": nobody
	}{
		{"nobody listens", "", "", 10, ""},
		{"the miner", socket("127.0.0.1:8080", listen, 100), "", 10, ""},
		{"a process of its unit", socket("127.0.0.1:8080", listen, 110), "", 10, ""},
		{"a process started by hand", socket("127.0.0.1:8080", listen, 200), "", 10, "pid 20, /home/a/xmrig; to end it: kill 20"},
		{"another service", socket("127.0.0.1:8080", listen, 300), "", 10, "pid 30, /opt/xmrig (deleted); to end it: systemctl disable --now old.service"},
		{"a service of a user", socket("127.0.0.1:8080", listen, 400), "", 10, "pid 40, comm; to end it: kill 40"},
		{"a name with escapes", socket("127.0.0.1:8080", listen, 500), "", 10, "pid 50, /tmp/?]0;ü?; to end it: kill 50"},
		{"a socket unit", socket("127.0.0.1:8080", listen, 1), "", 10, "pid 1, /lib/systemd/systemd; systemctl list-sockets shows whose it is"},
		{"on any address", socket("0.0.0.0:8080", listen, 200), "", 10, "pid 20, /home/a/xmrig; to end it: kill 20"},
		{"on any address of IPv6", "", socket("[::]:8080", listen, 200), 10, "pid 20, /home/a/xmrig; to end it: kill 20"},
		{"beside the miner, of IPv6 only", socket("127.0.0.1:8080", listen, 100), socket("[::]:8080", listen, 200), 10, ""},
		{"on another address", socket("10.0.0.1:8080", listen, 200), socket("[::1]:8080", listen, 200), 10, ""},
		{"on another port", socket("127.0.0.1:8081", listen, 200), "", 10, ""},
		{"a connection", socket("127.0.0.1:8080", established, 200), "", 10, ""},
		{"the unit has no process", socket("127.0.0.1:8080", listen, 100), "", 0, "pid 10, /usr/local/bin/xmrig; to end it: systemctl disable --now xmrig.service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := machine{t, t.TempDir()}
			m.file("net/tcp", header+socket("127.0.0.1:22", listen, 5)+tt.tcp)
			m.file("net/tcp6", header+tt.tcp6)
			m.process(1, 1, "0::/init.scope", "/lib/systemd/systemd")
			m.process(10, 100, xmrig, "/usr/local/bin/xmrig")
			m.process(11, 110, xmrig, "/usr/local/bin/xmrig")
			m.process(20, 200, "0::/user.slice/user-0.slice/session-1.scope", "/home/a/xmrig")
			m.process(30, 300, "1:name=systemd:/system.slice/old.service\n0::/system.slice/old.service", "/opt/xmrig (deleted)")
			m.process(40, 400, "0::/user.slice/user-0.slice/user@0.service/app.slice/own.service", "")
			m.process(50, 500, "0::/user.slice/user-1000.slice/session-2.scope", "/tmp/\x1b]0;ü\n")
			o, err := (&Lookup{Proc: m.dir}).Foreign("127.0.0.1:8080", tt.pid)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if o != nil {
				got = fmt.Sprintf("%v; %s", o, o.Remedy())
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// An owner is remembered for as long as it keeps its socket open.
func TestRemembered(t *testing.T) {
	m := machine{t, t.TempDir()}
	m.file("net/tcp", header+socket("127.0.0.1:8080", "0A", 200))
	m.process(10, 100, "0::/system.slice/xmrig.service", "/usr/local/bin/xmrig")
	m.process(20, 200, "0::/", "/home/a/xmrig")
	l := &Lookup{Proc: m.dir}
	look := func(what string, pid int, want string) {
		t.Helper()
		o, err := l.Foreign("127.0.0.1:8080", pid)
		if got := fmt.Sprint(o); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
	}
	look("first", 10, "pid 20, /home/a/xmrig")
	m.file("net/tcp", header) // which is not read again
	look("still open", 10, "pid 20, /home/a/xmrig")
	if err := os.Remove(filepath.Join(m.dir, "20/fd/7")); err != nil {
		t.Fatal(err)
	}
	look("closed", 10, "<nil>")
	m.file("net/tcp", header+socket("127.0.0.1:8080", "0A", 100))
	look("the miner's own", 10, "<nil>")
	m.file("net/tcp", header)
	look("the miner's own still", 10, "<nil>")
	m.process(11, 110, "0::/system.slice/xmrig.service", "/usr/local/bin/xmrig")
	m.file("net/tcp", header+socket("127.0.0.1:8080", "0A", 20)+socket("127.0.0.1:8080", "0A", 30))
	m.process(30, 30, "0::/", "/opt/xmrig")
	look("another process of the unit", 11, "pid 30, /opt/xmrig")
}

// Where the owner cannot be known, there is an error and no owner.
func TestUnknown(t *testing.T) {
	listening := header + socket("127.0.0.1:8080", "0A", 200)
	for name, prepare := range map[string]func(machine){
		"no proc(5)":            func(machine) {},
		"no owner is seen":      func(m machine) { m.file("net/tcp", listening) },
		"the miner has ended":   func(m machine) { m.file("net/tcp", listening); m.process(20, 200, "0::/", "") },
		"another kind of table": func(m machine) { m.file("net/tcp", listening+strings.Repeat("x", 1<<17)) },
	} {
		m := machine{t, t.TempDir()}
		prepare(m)
		if o, err := (&Lookup{Proc: m.dir}).Foreign("127.0.0.1:8080", 10); o != nil || err == nil {
			t.Errorf("%s: %v, %v", name, o, err)
		}
	}
}

// The machine itself: a port of our own is not foreign to us, but it is to a
// process of another control group, if there is one.
func TestOwnPort(t *testing.T) {
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		t.Skip(err)
	}
	for _, network := range []string{"tcp4", "tcp"} {
		l, err := net.Listen(network, map[string]string{"tcp4": "127.0.0.1:0", "tcp": ":0"}[network])
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		address := fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port)
		if o, err := (&Lookup{Proc: "/proc"}).Foreign(address, os.Getpid()); o != nil || err != nil {
			t.Errorf("%s: %v, %v", l.Addr(), o, err)
		}
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("pid %d, %s", os.Getpid(), exe)
		if o, err := (&Lookup{Proc: "/proc"}).Foreign(address, 0); o == nil || o.String() != want || err != nil {
			t.Errorf("%s: %v, %v; want %s", l.Addr(), o, err, want)
		}
	}
}

func BenchmarkOwn(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		(&Lookup{Proc: "/proc"}).Foreign(l.Addr().String(), os.Getpid())
	}
}

func BenchmarkForeign(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		(&Lookup{Proc: "/proc"}).Foreign(l.Addr().String(), 0)
	}
}
