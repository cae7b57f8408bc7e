package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed enter.sh
var enterScript string

// A Result is how a command inside a host ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Command prepares a command that runs as root inside the host, without SSH and
// so without the network. The caller sets its streams and runs it. When ctx ends,
// the command ends with all its children. It is not held by the container's
// capabilities and system call filter: what must be refused there is to be tried
// over SSH or from a unit.
func (h *Host) Command(ctx context.Context, argv ...string) *exec.Cmd {
	cgroup := filepath.Join(h.cgroup(), "exec-"+rand.Text())
	pid := leader(h.cgroup())
	args := append([]string{"-c", enterScript, "enter", cgroup, fmt.Sprint(pid)}, argv...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = "/"
	if pid == 0 {
		cmd.Err = fmt.Errorf("exec in host %s: it is off", h.Name)
	}
	cmd.Cancel = func() error {
		return errors.Join(endProcesses(cgroup), cmd.Process.Kill())
	}
	cmd.WaitDelay = time.Second
	return cmd
}

// Exec runs a command as root inside the host. A command that exits with another
// status than 0 is no error.
func (h *Host) Exec(ctx context.Context, argv ...string) (Result, error) {
	return h.exec(ctx, nil, argv...)
}

func (h *Host) exec(ctx context.Context, stdin []byte, argv ...string) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd := h.Command(ctx, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("%s: exec %s: %w", h.Name, argv[0], err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}, nil
}

// Sh runs a script by sh as root inside the host, with args as $1 and so on, and
// returns its stdout. A status other than 0 is an error, which holds stderr.
func (h *Host) Sh(ctx context.Context, script string, args ...string) (string, error) {
	return h.sh(ctx, nil, script, args...)
}

func (h *Host) sh(ctx context.Context, stdin []byte, script string, args ...string) (string, error) {
	result, err := h.exec(ctx, stdin, append([]string{"sh", "-c", script, "sh"}, args...)...)
	if err == nil && result.Code != 0 {
		err = fmt.Errorf("%s: sh -c %q: status %d: %s", h.Name, script, result.Code, strings.TrimSpace(result.Stderr))
	}
	return result.Stdout, err
}

// WriteFile writes a file inside the host and makes the directories it needs. An
// existing file is replaced in place and takes the mode.
func (h *Host) WriteFile(ctx context.Context, path string, data []byte, mode fs.FileMode) error {
	_, err := h.sh(ctx, data, `mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"`,
		path, fmt.Sprintf("%o", mode.Perm()))
	return err
}

// ReadFile reads a file inside the host; a file that does not exist is
// fs.ErrNotExist.
func (h *Host) ReadFile(ctx context.Context, path string) ([]byte, error) {
	result, err := h.exec(ctx, nil, "sh", "-c", `[ -e "$1" ] || exit 66; cat "$1"`, "sh", path)
	switch {
	case err != nil:
		return nil, err
	case result.Code == 66:
		return nil, &fs.PathError{Op: "read", Path: h.Name + ":" + path, Err: fs.ErrNotExist}
	case result.Code != 0:
		return nil, fmt.Errorf("%s: read %s: %s", h.Name, path, strings.TrimSpace(result.Stderr))
	}
	return []byte(result.Stdout), nil
}

// MountTmpfs puts an empty file system of size bytes over path inside the host,
// until it is unmounted or the host stops. What is already there is hidden.
func (h *Host) MountTmpfs(ctx context.Context, path string, size int64) error {
	_, err := h.Sh(ctx, `mkdir -p "$1" && mount -t tmpfs -o "size=$2,mode=0755" lab "$1"`, path, fmt.Sprint(size))
	return err
}

// AskPassword takes deploy's passwordless sudo away: it may still become root, with
// this password.
func (h *Host) AskPassword(ctx context.Context, password string) error {
	_, err := h.sh(ctx, []byte("deploy:"+password+"\n"),
		`chpasswd && printf 'deploy ALL=(ALL:ALL) ALL\n' >/etc/sudoers.d/deploy`)
	return err
}
