// Package lab boots real Debian hosts on this machine: systemd as PID 1, sshd,
// sudo and journald, each in a systemd-nspawn container with a disk and a
// network link of its own. Four hosts are up in half a second, forty in eight.
//
// Tests call [Start], or [StartWith] for hosts of another system. A program that
// shares hosts between tests, or keeps them, calls [Up] and [Lab.Down]. What a
// lab puts on the machine disappears with its owner, whatever ends that: a guard
// process waits for the owner's lock, and every Up first removes what dead owners
// left. Labs live in Linux only and need root; [Check] says what is missing.
//
// A lab is a directory, /run/xmrfleet-lab/NAME, a numbered slot that stands for
// its subnet 10.213.SLOT.0/24, interfaces and namespaces called xlabSLOT-*, and
// cgroups under xmrfleet-lab/NAME. Membership of those cgroups, and nothing
// else, makes a process the lab's to end.
//
// Nothing that is shipped may import this package, and it knows nothing of
// xmrfleet. What a test wants to do to a host beside running a script is a
// method of [Host]; if people want it too, labctl gets a subcommand.
package lab

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/sourcegraph/conc/pool"
)

const run = "/run/xmrfleet-lab"

//go:embed teardown.sh
var teardownScript string

// User is the login of every host, with passwordless sudo. The lab's key also
// opens root.
const User = "deploy"

var (
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	hostPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.-]{0,63}$`)
)

// Options say what Up builds.
type Options struct {
	Name  string   // unique on the machine; empty: one is chosen
	Hosts []string // names of at most 200 hosts
	System

	// Detached keeps the lab after the end of this process, until Down.
	Detached bool
}

// A Lab is a set of hosts on a bridge of their own. Different hosts may be used
// concurrently.
type Lab struct {
	Name  string
	Hosts []*Host

	slot  *slot
	guard *exec.Cmd // nil when detached, or owned by another process
	keys  keys
}

// Up boots the hosts and returns once each of them answers on port 22. The image
// is built first if there is none yet, which takes half a minute. On an error, and
// when ctx ends, nothing is left behind.
func Up(ctx context.Context, o Options) (*Lab, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	image, err := Image(ctx, o.System, nil)
	if err != nil {
		return nil, err
	}
	slot, err := claim(ctx, o.Name)
	if err != nil {
		return nil, err
	}
	l := &Lab{Name: slot.name, slot: slot}
	if err := l.build(ctx, o, image); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, errors.Join(fmt.Errorf("lab %s: %w", l.Name, err), l.Down())
	}
	return l, nil
}

func (o Options) validate() error {
	if o.Name != "" && !namePattern.MatchString(o.Name) {
		return fmt.Errorf("lab name %q: want lowercase letters, digits and dashes, at most 32", o.Name)
	}
	if len(o.Hosts) == 0 || len(o.Hosts) > 200 {
		return fmt.Errorf("lab: %d hosts: want 1 to 200", len(o.Hosts))
	}
	seen := map[string]bool{}
	for _, name := range o.Hosts {
		if !hostPattern.MatchString(name) || strings.Contains(name, "..") || seen[name] {
			return fmt.Errorf("lab host %q: not a host name, or given twice", name)
		}
		seen[name] = true
	}
	return errors.Join(o.System.validate(), Check())
}

func (l *Lab) build(ctx context.Context, o Options, image string) error {
	if err := l.startGuard(); err != nil {
		return err
	}
	if err := command(ctx, "mount", "-t", "tmpfs", "-o", "mode=0755,size=75%", "xmrfleet-lab", l.Dir()); err != nil {
		return err
	}
	if err := raiseInotify(); err != nil {
		return err
	}
	var err error
	if l.keys, err = newKeys(); err != nil {
		return err
	}
	for i, name := range o.Hosts {
		h := &Host{Name: name, lab: l, index: i + 1, image: image}
		if h.key, err = newKeys(); err != nil {
			return err
		}
		l.Hosts = append(l.Hosts, h)
	}
	if err := l.writeClientFiles(); err != nil {
		return err
	}
	if err := l.connect(ctx); err != nil {
		return err
	}
	boots := pool.New().WithErrors().WithContext(ctx).WithCancelOnError()
	for _, h := range l.Hosts {
		boots.Go(h.create)
	}
	if err := boots.Wait(); err != nil {
		return err
	}
	if err := l.save(); err != nil {
		return err
	}
	if o.Detached {
		return l.detach()
	}
	return nil
}

// raiseInotify makes room for many hosts: each systemd takes about six inotify
// instances of root's, and the kernel's default is 128.
func raiseInotify() error {
	const path, want = "/proc/sys/fs/inotify/max_user_instances", 8192
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && n >= want {
		return nil
	}
	return os.WriteFile(path, []byte(strconv.Itoa(want)), 0o644)
}

// Dir is the lab's directory, which holds ssh_config, known_hosts and id_ed25519.
func (l *Lab) Dir() string { return filepath.Join(run, l.Name) }

// SSHConfig is the path of a configuration for `ssh -F` that reaches every host by
// name, with its key verified.
func (l *Lab) SSHConfig() string { return filepath.Join(l.Dir(), "ssh_config") }

// Gateway is this machine's address in the lab, also known as `gateway` inside: a
// server that listens on it can be reached by the hosts, which reach nothing else.
func (l *Lab) Gateway() string { return l.slot.address(1) }

// Host is the host of that name, or nil.
func (l *Lab) Host(name string) *Host {
	for _, h := range l.Hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Down ends all hosts and removes what the lab put on the machine. It may be called
// twice, and on a lab that another process built if that one is gone.
func (l *Lab) Down() error {
	if l.slot.name == "" {
		return nil
	}
	if err := l.slot.lock(); err != nil {
		return fmt.Errorf("lab %s: %w", l.Name, err)
	}
	defer l.slot.unlock()
	if err := l.slot.teardown(); err != nil {
		return err
	}
	l.endGuard()
	return nil
}

// startGuard runs a process that outlives this one just long enough to remove the
// lab: it waits for the slot's lock, which the kernel frees when its holder dies.
func (l *Lab) startGuard() error {
	args := append([]string{l.slot.path(), "sh", "-c", teardownScript, "teardown"}, l.slot.teardownArgs()...)
	l.guard = exec.Command("flock", args...)
	l.guard.Dir = "/"
	l.guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := l.guard.Start(); err != nil {
		l.guard = nil
		return fmt.Errorf("start guard: %w", err)
	}
	return nil
}

func (l *Lab) endGuard() {
	if l.guard == nil {
		return
	}
	l.guard.Process.Kill()
	l.guard.Wait()
	l.guard = nil
}

func (l *Lab) detach() error {
	if err := l.slot.write(l.Name + detached); err != nil {
		return err
	}
	l.endGuard()
	l.slot.unlock()
	return nil
}

type state struct {
	Image string
	Hosts []string
}

func (l *Lab) save() error {
	s := state{Image: l.Hosts[0].image}
	for _, h := range l.Hosts {
		s.Hosts = append(s.Hosts, h.Name)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.Dir(), "lab.json"), text, 0o644)
}

// Open returns a lab that another process built.
func Open(name string) (*Lab, error) {
	l, err := find(name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(l.Dir(), "lab.json"))
	if err != nil {
		return nil, fmt.Errorf("lab %s is not up: %w", name, err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("lab %s: %w", name, err)
	}
	if l.keys, err = readKeys(filepath.Join(l.Dir(), "id_ed25519")); err != nil {
		return nil, err
	}
	for i, name := range s.Hosts {
		h := &Host{Name: name, lab: l, index: i + 1, image: s.Image}
		if h.key, err = readKeys(filepath.Join(h.dir(), "host_key")); err != nil {
			return nil, err
		}
		l.Hosts = append(l.Hosts, h)
	}
	return l, nil
}

// Down is Lab.Down for a lab known by name, also one that was never finished. A
// lab that does not exist is down already.
func Down(name string) error {
	l, err := find(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.Down()
}

func find(name string) (*Lab, error) {
	slots, err := slots()
	if err != nil {
		return nil, err
	}
	for _, s := range slots {
		if s.name == name {
			return &Lab{Name: name, slot: s}, nil
		}
	}
	return nil, fmt.Errorf("lab %s: %w", name, os.ErrNotExist)
}

// List names the labs on this machine, whoever owns them.
func List() ([]string, error) {
	slots, err := slots()
	var names []string
	for _, s := range slots {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names, err
}

// command runs a program that is expected to succeed silently.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %v: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
