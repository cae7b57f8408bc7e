package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tools are the programs a lab runs and the Debian packages they come in.
var tools = []struct{ program, pkg string }{
	{"mmdebstrap", "mmdebstrap"},
	{"systemd-nspawn", "systemd-container"},
	{"ip", "iproute2"},
	{"ssh", "openssh-client"},
	{"nsenter", "util-linux"},
	{"unshare", "util-linux"},
	{"flock", "util-linux"},
	{"mount", "mount"},
	{"apt-config", "apt"},
}

// Check says why no lab can be built here, and what to do about it.
func Check() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("lab: needs Linux, this is %s", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("lab: needs root")
	}
	var missing []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool.program); err != nil && !slices.Contains(missing, tool.pkg) {
			missing = append(missing, tool.pkg)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("lab: packages are missing; install them: apt-get install --yes %s", strings.Join(missing, " "))
	}
	if len(cgroups()) == 0 {
		return errors.New("lab: no cgroup2 file system is mounted")
	}
	return nil
}

// Start brings up a lab for one test and takes it down when that ends. Where no
// lab can be built the test is skipped, or fails if XMRFLEET_REQUIRE_LAB=1. With
// XMRFLEET_KEEP_LAB=1 the lab of a test that fails stays, until somebody takes it
// down, and the test's log says how to go on with it.
func Start(t testing.TB, hosts ...string) *Lab {
	t.Helper()
	return StartWith(t, Options{Hosts: hosts})
}

// StartWith is Start with more options.
func StartWith(t testing.TB, o Options) *Lab {
	t.Helper()
	Require(t)
	l, err := Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if Kept(t) {
			l.keep(t)
		} else if err := l.Down(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Kept reports whether the lab of a test that ends now is kept.
func Kept(t testing.TB) bool { return t.Failed() && os.Getenv("XMRFLEET_KEEP_LAB") == "1" }

// keep leaves the lab to people.
func (l *Lab) keep(t testing.TB) {
	t.Helper()
	if err := l.detach(); err != nil {
		t.Error(err)
		return
	}
	name, host := l.Name, l.Hosts[0].Name
	t.Logf(`the lab stays (XMRFLEET_KEEP_LAB=1). To go on with it, after "make bin/labctl":
    bin/labctl list
    bin/labctl exec %s %s -- journalctl -n 50
    ssh -F %s %s
    bin/labctl down %s`, name, host, l.SSHConfig(), host, name)
}

// Require skips the test where no lab can be built, as Start does.
func Require(t testing.TB) {
	t.Helper()
	err := Check()
	switch {
	case err == nil:
	case os.Getenv("XMRFLEET_REQUIRE_LAB") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}
