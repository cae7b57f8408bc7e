package modules

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A host runs commands as executor does, with real sh and coreutils. The
// programs of testdata/bin stand in for what would need a whole machine.
//
// Where the test runs as root, the host has a mount namespace of its own in
// which the directories that modules writes to are those below root.
type host struct {
	t     *testing.T
	root  string   // empty: no mount namespace
	enter []string // the words that run a command in it
	state string   // what the fakes know
	path  string
	known *Facts // as of the first change

	shell []string        // in the place of sh
	ran   map[string]bool // scripts
}

const hostPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// hostDirs are mounted over the real ones.
var hostDirs = []string{"/etc", "/usr/local", "/var/lib", "/run", "/opt", "/home", "/root"}

// mountHost keeps the mounts for as long as somebody holds its input open.
const mountHost = `
root=$1
for dir in $2; do mount --bind "$root$dir" "$dir" || exit 99; done
mount --bind /run/fake/uptime /proc/uptime || exit 99
echo mounted
exec cat`

const runCommand = `
umask 022
cd /
run() (
	script=$1
	shift
	eval "$script"
)
run "$@"`

// newHost returns a host on which nothing is installed.
func newHost(t *testing.T) *host {
	t.Helper()
	fakes, err := filepath.Abs("testdata/bin")
	if err != nil {
		t.Fatal(err)
	}
	return &host{t: t, state: t.TempDir(), path: fakes + ":" + hostPath, shell: []string{"sh"}, ran: make(map[string]bool)}
}

// newRoot returns a host with the real paths. It skips the test where that is
// not possible.
func newRoot(t *testing.T) *host {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mount namespaces need root")
	}
	if out, err := exec.Command("unshare", "-m", "mount", "--bind", "/usr", "/mnt").CombinedOutput(); err != nil {
		t.Skipf("no mount namespaces here: %v: %s", err, out)
	}
	h := newHost(t)
	h.root = t.TempDir()
	for _, dir := range append(hostDirs, "/etc/systemd/system", "/run/systemd/system", "/usr/local/sbin", "/usr/local/bin", "/usr/local/lib") {
		h.mkdir(dir)
	}
	for _, name := range []string{"passwd", "group", "nsswitch.conf", "os-release"} {
		data, err := os.ReadFile("/etc/" + name)
		if err != nil {
			t.Skip(err)
		}
		h.write("/etc/"+name, string(data), 0o644)
	}
	for _, name := range []string{"systemctl", "journalctl", "curl", "sleep", "sync"} {
		program, err := os.ReadFile("testdata/bin/" + name)
		if err != nil {
			t.Fatal(err)
		}
		h.write("/usr/local/sbin/"+name, string(program), 0o755)
	}
	h.write("/run/fake/uptime", "100.00 0.00\n", 0o644)
	h.path = hostPath
	h.mount()
	return h
}

// mount makes the namespace, which ends with the test.
func (h *host) mount() {
	h.t.Helper()
	keeper := exec.Command("unshare", "-m", "sh", "-c", mountHost, "sh", h.root, strings.Join(hostDirs, " "))
	keeper.Stderr = os.Stderr
	stdin, err := keeper.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	stdout, err := keeper.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		stdin.Close()
		keeper.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "mounted\n" {
		h.t.Fatalf("mount the host: %q, %v", line, err)
	}
	h.enter = []string{"nsenter", fmt.Sprintf("--mount=/proc/%d/ns/mnt", keeper.Process.Pid), "--"}
}

func (h *host) mkdir(path string) {
	h.t.Helper()
	if err := os.MkdirAll(h.root+path, 0o755); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) write(path, content string, mode os.FileMode) {
	h.t.Helper()
	h.mkdir(filepath.Dir(path))
	if err := os.WriteFile(h.root+path, []byte(content), mode); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(h.root+path, mode); err != nil { // whatever the umask
		h.t.Fatal(err)
	}
}

func (h *host) read(path string) string {
	h.t.Helper()
	data, err := os.ReadFile(h.root + path)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// fake is where the fakes keep what they know, as seen by the test.
func (h *host) fake() string {
	if h.root != "" {
		return "/run/fake"
	}
	return h.state
}

// run runs a command to its end.
func (h *host) run(c Command) Result {
	h.t.Helper()
	h.ran[c.Script] = true
	args := slices.Concat(h.enter, h.shell, []string{"-c", runCommand, "sh", c.Script}, c.Args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + h.path, "LC_ALL=C", "FAKE=" + h.fake()}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(decompress(h.t, c.Stdin))
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return Result{Status: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

func decompress(t *testing.T, b *Blob) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b.Gzip()))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// must runs a command that has to succeed and returns what it printed.
func (h *host) must(c Command) string {
	h.t.Helper()
	r := h.run(c)
	if r.Status != 0 {
		h.t.Fatalf("exit %d: %s\n%q%s", r.Status, r.Stderr, c.Args, c.Script)
	}
	return r.Stdout
}

func (h *host) facts() Facts {
	h.t.Helper()
	facts, err := ParseFacts(h.must(FactsProbe()))
	if err != nil {
		h.t.Fatal(err)
	}
	return facts
}

// change is what separates the host from r.
func (h *host) change(r Resource) Change {
	h.t.Helper()
	if _, looks := r.(Binary); looks || h.known == nil {
		facts := h.facts()
		h.known = &facts
	}
	c, err := r.Diff(h.must(r.Probe()), *h.known)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// converge brings r to its desired state.
func (h *host) converge(r Resource) {
	h.t.Helper()
	for _, step := range h.change(r).Steps {
		h.must(step)
	}
	if again := h.change(r); !again.Empty() {
		h.t.Errorf("%s is not idempotent: %+v", r.ID(), again)
	}
}

// me is the user who runs the test, and the group.
func me(t *testing.T) (owner, group string) {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return u.Username, g.Name
}
