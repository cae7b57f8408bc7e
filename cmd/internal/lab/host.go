package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed boot.sh
var bootScript string

// bootTime bounds a boot, stopTime an orderly power-off, killTime what
// systemd-nspawn takes to clean up. All of it is done in a second or two; the
// limits are for machines that are busy with something else.
const (
	bootTime = 5 * time.Minute
	stopTime = 2 * time.Minute
	killTime = 30 * time.Second
)

// What systemd as PID 1 understands; real-time signals count from 34 in libc.
const (
	powerOff = syscall.Signal(34 + 4)
	reboot   = syscall.Signal(34 + 5)
)

// A Host is one machine of a lab: name, address, host key and disk stay over
// stops and reboots.
type Host struct {
	Name string

	lab   *Lab
	index int // from 1
	image string
	key   keys
}

// Address is the host's IPv4 address, reachable from this machine only.
func (h *Host) Address() string { return h.lab.slot.address(h.index + 9) }

// hardware is the address of the host's network card, one of those that anybody
// may give away.
func (h *Host) hardware() string {
	return fmt.Sprintf("02:0a:d5:00:%02x:%02x", h.lab.slot.number, h.index)
}

func (h *Host) link() string { return h.lab.slot.link(h.index) }

func (h *Host) dir() string { return filepath.Join(h.lab.Dir(), "hosts", h.Name) }

func (h *Host) root() string { return filepath.Join(h.dir(), "root") }

// cgroup holds all processes of the host and the ones that serve it outside.
func (h *Host) cgroup() string { return filepath.Join(cgroups()[0], h.lab.Name, h.Name) }

// create makes the host's disk from the image and boots it.
func (h *Host) create(ctx context.Context) error {
	upper, work := filepath.Join(h.dir(), "upper"), filepath.Join(h.dir(), "work")
	for _, dir := range []string{upper, work, h.root()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", h.image, upper, work)
	if err := command(ctx, "mount", "-t", "overlay", "-o", layers, "xmrfleet-lab", h.root()); err != nil {
		return err
	}
	if err := h.key.write(filepath.Join(h.dir(), "host_key")); err != nil {
		return err
	}
	if err := h.personalise(); err != nil {
		return err
	}
	for _, base := range cgroups() {
		if err := os.MkdirAll(filepath.Join(base, h.lab.Name, h.Name), 0o755); err != nil {
			return err
		}
	}
	return h.Start(ctx)
}

// personalise writes what distinguishes the host from the image, before it boots.
func (h *Host) personalise() error {
	var hosts strings.Builder
	fmt.Fprintf(&hosts, "127.0.0.1 localhost\n%s gateway\n", h.lab.Gateway())
	for _, other := range h.lab.Hosts {
		fmt.Fprintf(&hosts, "%s %s\n", other.Address(), other.Name)
	}
	id := make([]byte, 16)
	rand.Read(id)
	files := []struct {
		path string
		text string
		mode os.FileMode
		uid  int
	}{
		{"etc/hostname", h.Name + "\n", 0o644, 0},
		{"etc/hosts", hosts.String(), 0o644, 0},
		{"etc/machine-id", fmt.Sprintf("%x\n", id), 0o444, 0},
		{"etc/ssh/ssh_host_ed25519_key", string(h.key.private), 0o600, 0},
		{"etc/ssh/ssh_host_ed25519_key.pub", string(h.key.public), 0o644, 0},
		{"root/.ssh/authorized_keys", string(h.lab.keys.public), 0o600, 0},
		{"home/deploy/.ssh/authorized_keys", string(h.lab.keys.public), 0o600, deployID},
	}
	for _, f := range files {
		path := filepath.Join(h.root(), f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
		if err := os.Chmod(path, f.mode); err != nil {
			return err
		}
		if f.uid != 0 {
			if err := errors.Join(os.Chown(path, f.uid, f.uid), os.Chown(filepath.Dir(path), f.uid, f.uid)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Start boots the host, which must be off, and returns when its sshd answers.
func (h *Host) Start(ctx context.Context) error {
	if populated(h.cgroup()) {
		return fmt.Errorf("start host %s: it is running", h.Name)
	}
	console, err := os.Create(h.console())
	if err != nil {
		return err
	}
	defer console.Close()
	args := []string{"-c", bootScript, "boot", h.link(), h.Name, h.root()}
	for _, base := range cgroups() {
		args = append(args, filepath.Join(base, h.lab.Name, h.Name))
	}
	cmd := exec.Command("sh", args...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start host %s: %w", h.Name, err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for !h.answers(ctx) {
		select {
		case <-ctx.Done():
			cmd.Process.Kill() // it may not have joined its cgroup yet
			<-ended
			return fmt.Errorf("start host %s: no answer on %s:22: %w%s", h.Name, h.Address(), ctx.Err(), h.lastWords())
		case <-ended:
			return fmt.Errorf("start host %s: the container ended%s", h.Name, h.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// answers reports whether sshd greets.
func (h *Host) answers(ctx context.Context) bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(h.Address(), "22"))
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	banner := make([]byte, 4)
	_, err = io.ReadFull(conn, banner)
	return err == nil && bytes.Equal(banner, []byte("SSH-"))
}

func (h *Host) console() string { return filepath.Join(h.dir(), "console.log") }

func (h *Host) lastWords() string {
	text, err := os.ReadFile(h.console())
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + string(text[max(0, len(text)-2000):])
}

// Running reports whether the host is on.
func (h *Host) Running() bool { return populated(h.cgroup()) }

// Stop powers the host off in good order, or pulls the plug if that takes too
// long. The disk stays. A host that is off stays off.
func (h *Host) Stop(ctx context.Context) error {
	if err := h.signal(powerOff); err != nil && h.Running() {
		return h.Kill(ctx)
	}
	orderly, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	if h.waitOff(orderly) == nil {
		return nil
	}
	return h.Kill(ctx)
}

// Kill pulls the plug: every process of the host ends at once.
func (h *Host) Kill(ctx context.Context) error {
	if !h.Running() {
		return nil
	}
	// systemd-nspawn cleans up when only its container dies.
	if endProcesses(filepath.Join(h.cgroup(), "payload")) == nil {
		brief, cancel := context.WithTimeout(ctx, killTime)
		defer cancel()
		if h.waitOff(brief) == nil {
			return nil
		}
	}
	if err := endProcesses(h.cgroup()); err != nil {
		return fmt.Errorf("kill host %s: %w", h.Name, err)
	}
	return h.waitOff(ctx)
}

func (h *Host) waitOff(ctx context.Context) error {
	for h.Running() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop host %s: %w", h.Name, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Reboot restarts the host in good order and returns when its sshd answers again.
func (h *Host) Reboot(ctx context.Context) error {
	before := leader(h.cgroup())
	if err := h.signal(reboot); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for {
		if now := leader(h.cgroup()); now != 0 && now != before && h.answers(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("reboot host %s: %w%s", h.Name, ctx.Err(), h.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Recreate replaces the host by a fresh one with an empty disk, under the same
// name, address and host key, with the cable plugged in.
func (h *Host) Recreate(ctx context.Context) error {
	if err := h.Kill(ctx); err != nil {
		return err
	}
	if err := command(ctx, "umount", h.root()); err != nil {
		return err
	}
	if err := os.RemoveAll(h.dir()); err != nil {
		return err
	}
	if err := h.Join(ctx); err != nil {
		return err
	}
	return h.create(ctx)
}

// signal sends sig to the host's PID 1, through a handle that a recycled process
// number cannot mislead.
func (h *Host) signal(sig syscall.Signal) error {
	pid := leader(h.cgroup())
	if pid == 0 {
		return fmt.Errorf("signal host %s: it is off", h.Name)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer process.Release()
	if leader(h.cgroup()) != pid {
		return fmt.Errorf("signal host %s: it is going down", h.Name)
	}
	return process.Signal(sig)
}
