package lab

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const suite = "bookworm"

// deployID is the first free user and group of a fresh Debian.
const deployID = 1000

//go:embed customize.sh
var customizeScript string

// packages beyond the essential ones; the last three are what an XMRig that is
// not static links.
var packages = []string{
	"systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "procps", "curl", "ca-certificates",
	"libuv1", "libhwloc15", "libssl3",
}

// Image returns the root directory that all hosts share, with more packages where a
// lab asks for them. Unless the cache holds such a one, it is built, from this machine's own Debian
// mirror, and progress goes to log. The cache is /var/cache/xmrfleet-lab or
// $XMRFLEET_LAB_CACHE; a build that is cut short leaves no image there.
func Image(ctx context.Context, log io.Writer, more ...string) (string, error) {
	if err := Check(); err != nil {
		return "", err
	}
	cache := cmp.Or(os.Getenv("XMRFLEET_LAB_CACHE"), "/var/cache/xmrfleet-lab")
	packages := slices.Concat(packages, more)
	recipe := strings.Join(append([]string{suite, customizeScript}, packages...), "\n")
	image := filepath.Join(cache, fmt.Sprintf("%s-%.6x", suite, sha256.Sum256([]byte(recipe))))
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
	if err := bootstrap(ctx, build, packages, lock, log); err != nil {
		return "", fmt.Errorf("build image: %w", err)
	}
	if err := os.Rename(filepath.Join(build, "root"), image); err != nil {
		return "", err
	}
	return image, os.RemoveAll(build)
}

// bootstrap makes dir/root. Its process inherits the lock: should this one be
// killed, the next builder waits until that has ended too. What it mounts is seen
// by nobody else and so cannot stay behind.
func bootstrap(ctx context.Context, dir string, packages []string, lock *os.File, log io.Writer) error {
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
		"--mode=root", "--variant=minbase", "--format=directory", "--include=" + strings.Join(packages, ","),
		"--aptopt=" + aptConf, "--dpkgopt=force-unsafe-io", "--customize-hook=" + customize,
		suite, filepath.Join(dir, "root"),
	}
	sources, err := debianSources("/etc/apt")
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
