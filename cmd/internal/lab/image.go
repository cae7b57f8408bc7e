package lab

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A System is what the hosts of a lab run. Each is an image of its own.
type System struct {
	Release  string   // of Debian, by its name; empty: $XMRFLEET_LAB_RELEASE or bookworm
	Packages []string // of that release, beside those that each host has
}

const defaultRelease = "bookworm"

// releases are what hosts can run, each with what an XMRig that is not static
// links there.
var releases = map[string][]string{
	"bullseye":     {"libuv1", "libhwloc15", "libssl1.1"},
	defaultRelease: {"libuv1", "libhwloc15", "libssl3"},
	"trixie":       {"libuv1t64", "libhwloc15", "libssl3t64"},
}

func (s System) release() string {
	return cmp.Or(s.Release, os.Getenv("XMRFLEET_LAB_RELEASE"), defaultRelease)
}

func (s System) validate() error {
	if _, ok := releases[s.release()]; !ok {
		return fmt.Errorf("lab: release %q: want one of %s", s.release(), strings.Join(slices.Sorted(maps.Keys(releases)), ", "))
	}
	return nil
}

// packages are all that are asked for.
func (s System) packages() []string {
	return slices.Concat(packages, releases[s.release()], s.Packages)
}

// deployID is the first free user and group of a fresh Debian.
const deployID = 1000

//go:embed customize.sh
var customizeScript string

// packages beyond the essential ones, by names that all releases know.
var packages = []string{
	"systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "procps", "curl", "ca-certificates",
}

// Image returns the root directory that all hosts of a system share. Unless the
// cache holds the one that this package describes, it is built, from this machine's
// own Debian mirror, and progress goes to log. The cache is /var/cache/xmrfleet-lab
// or $XMRFLEET_LAB_CACHE; a build that is cut short leaves no image there.
func Image(ctx context.Context, s System, log io.Writer) (string, error) {
	if err := errors.Join(s.validate(), Check()); err != nil {
		return "", err
	}
	cache := cmp.Or(os.Getenv("XMRFLEET_LAB_CACHE"), "/var/cache/xmrfleet-lab")
	recipe := strings.Join(append([]string{s.release(), customizeScript}, s.packages()...), "\n")
	image := filepath.Join(cache, fmt.Sprintf("%s-%.6x", s.release(), sha256.Sum256([]byte(recipe))))
	if _, err := os.Stat(image); err == nil {
		return image, nil // without the lock, which the build of another image may hold
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock, err := lockFile(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	build := filepath.Join(cache, "build")
	if err := command(ctx, "rm", "-rf", "--one-file-system", build); err != nil {
		return "", err
	}
	if err := os.Mkdir(build, 0o755); err != nil {
		return "", err
	}
	if err := bootstrap(ctx, s, build, lock, log); err != nil {
		return "", fmt.Errorf("build image of %s: %w", s.release(), err)
	}
	if err := os.Rename(filepath.Join(build, "root"), image); err != nil {
		return "", err
	}
	return image, os.RemoveAll(build)
}

// bootstrap makes dir/root. Its process inherits the lock: should this one be
// killed, the next builder waits until that has ended too. What it mounts is seen
// by nobody else and so cannot stay behind.
func bootstrap(ctx context.Context, s System, dir string, lock *os.File, log io.Writer) error {
	customize := filepath.Join(dir, "customize.sh")
	if err := os.WriteFile(customize, []byte("#!/bin/sh\n"+customizeScript), 0o755); err != nil {
		return err
	}
	options, err := acquireOptions(ctx)
	if err != nil {
		return err
	}
	aptConf := filepath.Join(dir, "apt.conf")
	if err := os.WriteFile(aptConf, options, 0o644); err != nil {
		return err
	}
	args := []string{
		"--mount", "--propagation=slave", "mmdebstrap",
		"--mode=root", "--variant=minbase", "--format=directory", "--include=" + strings.Join(s.packages(), ","),
		"--aptopt=" + aptConf, "--dpkgopt=force-unsafe-io", "--customize-hook=" + customize,
		s.release(), filepath.Join(dir, "root"),
	}
	sources, err := debianSources("/etc/apt", s.release())
	if err != nil {
		return err
	}
	for i, text := range sources {
		path := filepath.Join(dir, fmt.Sprintf("sources-%d", i))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		args = append(args, path)
	}
	var tail bytes.Buffer
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.ExtraFiles = []*os.File{lock}
	cmd.Stdout, cmd.Stderr = &tail, &tail
	if log != nil {
		cmd.Stdout, cmd.Stderr = log, log
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		text := tail.Bytes()
		return fmt.Errorf("mmdebstrap: %v\n%s", err, text[max(0, len(text)-4000):])
	}
	return nil
}
