//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// limit bounds the waits of these tests. It says nothing of how long anything
// should take.
const limit = 5 * time.Minute

// sshRun runs a command on a host as a stranger to this package would.
func sshRun(l *Lab, host string, command ...string) (string, error) {
	return sshWithin(l, "300", host, command...)
}

// sshWithin is sshRun with another limit, in seconds, for the connection.
func sshWithin(l *Lab, seconds, host string, command ...string) (string, error) {
	args := append([]string{"-F", l.SSHConfig(), "-o", "BatchMode=yes", "-o", "ConnectTimeout=" + seconds, host}, command...)
	out, err := exec.Command("ssh", args...).CombinedOutput()
	return string(out), err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sh is Host.Sh for a script that must succeed.
func sh(t *testing.T, h *Host, script string, args ...string) string {
	t.Helper()
	out, err := h.Sh(t.Context(), script, args...)
	must(t, err)
	return out
}

func TestHosts(t *testing.T) {
	began := time.Now()
	l := Start(t, "mini-1", "mini-2", "miner-beta", "miner-gamma")
	t.Logf("4 hosts in %v", time.Since(began))

	for _, h := range l.Hosts {
		for _, target := range []string{h.Name, h.Address()} {
			out, err := sshRun(l, target, "hostname; sudo -n id -u")
			if want := h.Name + "\n0\n"; err != nil || out != want {
				t.Errorf("ssh %s: %v\n got %q\nwant %q", target, err, out, want)
			}
		}
	}
	if out, err := sshRun(l, "root@mini-1", "id", "-un"); err != nil || out != "root\n" {
		t.Errorf("ssh root@mini-1: %v: %q", err, out)
	}
	if out := sh(t, l.Host("mini-1"), "getent hosts miner-gamma | cut -d' ' -f1"); out != l.Host("miner-gamma").Address()+"\n" {
		t.Errorf("hosts do not know each other: %q", out)
	}
	t.Run("exec", func(t *testing.T) { testExec(t, l.Host("mini-1")) })
	t.Run("files", func(t *testing.T) { testFiles(t, l.Host("mini-1")) })
	t.Run("units", func(t *testing.T) { testUnits(t, l.Host("mini-1")) })
	t.Run("cable", func(t *testing.T) { testCable(t, l, l.Host("mini-2")) })
	t.Run("power", func(t *testing.T) { testPower(t, l, l.Host("mini-2")) })
	t.Run("recreate", func(t *testing.T) { testRecreate(t, l, l.Host("miner-beta")) })
	t.Run("password", func(t *testing.T) { testPassword(t, l, l.Host("miner-gamma")) })
}

func testExec(t *testing.T, h *Host) {
	got, err := h.Exec(t.Context(), "sh", "-c", "hostname; echo err >&2; exit 7")
	if want := (Result{"mini-1\n", "err\n", 7}); err != nil || got != want {
		t.Errorf("exec: %v\n got %+v\nwant %+v", err, got, want)
	}
	if _, err := h.Sh(t.Context(), "echo why >&2; exit 3"); err == nil || !strings.HasSuffix(err.Error(), "status 3: why") {
		t.Errorf("sh: %v", err)
	}
	if out := sh(t, h, "systemctl is-system-running --wait; systemctl --failed --no-legend"); out != "running\n" {
		t.Errorf("systemd: %q", out)
	}
	if out := sh(t, h, "journalctl --no-pager -u ssh -o cat | grep -c 'Server listening on 0.0.0.0'"); out != "1\n" {
		t.Errorf("journal: %q", out)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		h.Sh(t.Context(), "until [ $(pgrep -fc '^sleep 4711') = 2 ]; do sleep 0.05; done")
	}()
	if _, err := h.Exec(ctx, "sh", "-c", "sleep 4711 & sleep 4711"); !errors.Is(err, context.Canceled) {
		t.Errorf("exec past its time: %v", err)
	}
	if out := sh(t, h, "pgrep -fc '^sleep 4711' || true"); out != "0\n" {
		t.Errorf("children of a cancelled command live on: %q", out)
	}
}

func testFiles(t *testing.T, h *Host) {
	data := "tab\t, nul \x00 and no newline"
	must(t, h.WriteFile(t.Context(), "/etc/deep/er/a file", []byte(data), 0o640))
	got, err := h.ReadFile(t.Context(), "/etc/deep/er/a file")
	if err != nil || string(got) != data {
		t.Errorf("read: %v: %q", err, got)
	}
	if out := sh(t, h, `stat -c %a:%U "$1"`, "/etc/deep/er/a file"); out != "640:root\n" {
		t.Errorf("mode: %q", out)
	}
	if _, err := h.ReadFile(t.Context(), "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read of nothing: %v", err)
	}
	must(t, h.MountTmpfs(t.Context(), "/srv/small", 64<<10))
	if out, err := h.Sh(t.Context(), "head -c 100000 /dev/zero >/srv/small/f"); err == nil || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("a small disk takes all: %v: %q", err, out)
	}
}

// The hardening of a miner's unit, in which private mounts and namespaces of the
// journal have to work.
const hardened = `[Service]
LogNamespace=xmrig
RuntimeDirectory=%[1]s
ExecStartPre=+/bin/sh -c 'echo rev >/run/%[1]s/revision'
ExecStart=/bin/sh -c 'echo started as $(id -un); touch /tmp/mine; touch /etc/no 2>&1; ls /dev/console 2>&1; ls /home 2>&1; exec sleep 4712'
Restart=always
TimeoutStopSec=10s
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
`

func testUnits(t *testing.T, h *Host) {
	sh(t, h, "useradd --system --no-create-home --shell /usr/sbin/nologin xmrig")
	must(t, h.WriteFile(t.Context(), "/etc/systemd/journald@xmrig.conf", []byte("[Journal]\nStorage=persistent\nSystemMaxUse=100M\nMaxRetentionSec=7day\n"), 0o644))
	for name, user := range map[string]string{"asroot": "root", "asuser": "xmrig"} {
		unit := fmt.Sprintf(hardened, name)
		if user != "root" {
			unit += "User=" + user + "\nGroup=" + user + "\n"
		}
		must(t, h.WriteFile(t.Context(), "/etc/systemd/system/"+name+".service", []byte(unit), 0o644))
		sh(t, h, `systemctl daemon-reload && systemctl start "$1" &&
			until [ "$(cat "/proc/$(systemctl show -P MainPID "$1")/comm")" = sleep ]; do sleep 0.05; done && journalctl --namespace=xmrig --sync`, name)
		if out := sh(t, h, `systemctl is-active "$1"; cat "/run/$1/revision"; ls /tmp/mine 2>&1 || :`, name); out !=
			"active\nrev\nls: cannot access '/tmp/mine': No such file or directory\n" {
			t.Errorf("%s: %s", name, out)
		}
		got := sh(t, h, `journalctl --namespace=+xmrig -o cat --no-pager -u "$1" _TRANSPORT=stdout`, name)
		want := "started as " + user + `
touch: cannot touch '/etc/no': Read-only file system
ls: cannot access '/dev/console': No such file or directory
`
		if user == "root" {
			want += "ls: cannot open directory '/home': Permission denied\n"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: journal\n got %q\nwant %q", name, got, want)
		}
		if out := sh(t, h, `systemctl show -P MainPID "$1" | xargs -I{} cat /proc/{}/comm; systemctl stop "$1"; ls /run/"$1" 2>&1 || :`, name); out !=
			"sleep\nls: cannot access '/run/"+name+"': No such file or directory\n" {
			t.Errorf("%s: stopped: %q", name, out)
		}
	}
}

func testCable(t *testing.T, l *Lab, h *Host) {
	must(t, h.Cut(t.Context()))
	if out, err := sshWithin(l, "10", h.Name, "true"); err == nil || !strings.Contains(out, "timed out") {
		t.Errorf("ssh over a cut cable: %v: %q", err, out)
	}
	if out := sh(t, h, "hostname"); out != "mini-2\n" {
		t.Errorf("exec needs no cable: %q", out)
	}
	must(t, h.Join(t.Context()))
	if out, err := sshRun(l, h.Name, "true"); err != nil {
		t.Errorf("ssh after join: %v: %s", err, out)
	}
}

func testPower(t *testing.T, l *Lab, h *Host) {
	ctx := t.Context()
	sh(t, h, "echo kept >/root/disk")
	id := sh(t, h, "cat /etc/machine-id")
	bootID := sh(t, h, "cut -d' ' -f22 /proc/1/stat")

	must(t, h.Stop(ctx))
	if _, err := h.Exec(ctx, "true"); h.Running() || err == nil {
		t.Errorf("off, but running=%v, exec: %v", h.Running(), err)
	}
	must(t, h.Stop(ctx))
	must(t, h.Start(ctx))
	if err := h.Start(ctx); err == nil {
		t.Error("a running host was started")
	}
	must(t, h.Reboot(ctx))
	must(t, h.Kill(ctx))
	must(t, h.Start(ctx))

	before := leader(h.cgroup())
	sshRun(l, h.Name, "sudo reboot")
	for end := time.Now().Add(limit); leader(h.cgroup()) == before || !h.answers(ctx); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no reboot from inside")
		}
	}
	if out := sh(t, h, "cat /root/disk /etc/machine-id"); out != "kept\n"+id {
		t.Errorf("disk after boots: %q", out)
	}
	if sh(t, h, "cut -d' ' -f22 /proc/1/stat") == bootID {
		t.Error("PID 1 is still the old one")
	}
	if out, err := sshRun(l, h.Name, "sudo -n true"); err != nil {
		t.Errorf("ssh after boots: %v: %s", err, out)
	}
}

func testRecreate(t *testing.T, l *Lab, h *Host) {
	sh(t, h, "touch /root/disk; rm -rf /etc/ssh")
	must(t, h.MountTmpfs(t.Context(), "/srv/small", 64<<10))
	must(t, h.Cut(t.Context()))
	began := time.Now()
	must(t, h.Recreate(t.Context()))
	t.Logf("fresh host in %v", time.Since(began))
	if out, err := sshRun(l, h.Name, "sudo ls /root/disk /srv/small"); err == nil || strings.Count(out, "No such file") != 2 {
		t.Errorf("not fresh: %v: %s", err, out)
	}
}

func testPassword(t *testing.T, l *Lab, h *Host) {
	must(t, h.AskPassword(t.Context(), "opensesame"))
	if out, err := sshRun(l, h.Name, "sudo -n true"); err == nil || !strings.Contains(out, "a password is required") {
		t.Errorf("sudo -n: %v: %s", err, out)
	}
	if out, err := sshRun(l, h.Name, "echo opensesame | sudo -S -p '' id -u"); err != nil || out != "0\n" {
		t.Errorf("sudo with the password: %v: %s", err, out)
	}
}

func TestForty(t *testing.T) {
	if testing.Short() {
		t.Skip("forty hosts")
	}
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("mini-%d", i+1))
	}
	began := time.Now()
	l := Start(t, names...)
	t.Logf("40 hosts in %v", time.Since(began))
	if out, err := sshRun(l, "mini-40", "hostname"); err != nil || out != "mini-40\n" {
		t.Errorf("ssh: %v: %s", err, out)
	}
}

func TestLabctl(t *testing.T) {
	Require(t)
	labctl := t.TempDir() + "/labctl"
	if out, err := exec.Command("go", "build", "-o", labctl, "xmrfleet/cmd/labctl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	name := fmt.Sprintf("t%d", os.Getpid())
	t.Cleanup(func() { must(t, Down(name)) })
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"up", name, "a", "b"}, 0, "2 hosts are up; try: ssh -F /run/xmrfleet-lab/" + name + "/ssh_config a\n"},
		{[]string{"up", name, "a"}, 1, "labctl: error: lab " + name + " is up already\n"},
		{[]string{"exec", name, "b", "--", "sh", "-c", "echo $0 -x; exit 5", "arg"}, 5, "arg -x\n"},
		{[]string{"cut", name, "a"}, 0, ""},
		{[]string{"join", name, "a"}, 0, ""},
		{[]string{"reboot", name, "a"}, 0, ""},
		{[]string{"fresh", name, "a"}, 0, ""},
		{[]string{"stop", name, "a"}, 0, ""},
		{[]string{"exec", name, "a", "true"}, 1, "labctl: error: exec in host a: it is off\n"},
		{[]string{"start", name, "a"}, 0, ""},
		{[]string{"exec", name, "c", "true"}, 1, "labctl: error: lab " + name + " has no host c\n"},
		{[]string{"down", name}, 0, ""},
		{[]string{"down", name}, 0, ""},
		{[]string{"cut", name, "a"}, 1, "labctl: error: lab " + name + ": file does not exist\n"},
	} {
		cmd := exec.Command(labctl, step.args...)
		out, _ := cmd.CombinedOutput()
		if string(out) != step.want || cmd.ProcessState.ExitCode() != step.code {
			t.Errorf("labctl %q: status %d, want %d\n got %q\nwant %q", step.args, cmd.ProcessState.ExitCode(), step.code, out, step.want)
		}
	}
}

func TestCheckNamesPackages(t *testing.T) {
	Require(t)
	t.Setenv("PATH", t.TempDir())
	want := "lab: packages are missing; install them: apt-get install --yes " +
		"mmdebstrap systemd-container iproute2 openssh-client util-linux mount apt"
	if err := Check(); err == nil || err.Error() != want {
		t.Errorf("check:\n got %v\nwant %s", err, want)
	}
}
