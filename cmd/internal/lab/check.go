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
// lab can be built the test is skipped, or fails if XMRFLEET_REQUIRE_LAB=1.
func Start(t testing.TB, hosts ...string) *Lab {
	t.Helper()
	Require(t)
	l, err := Up(t.Context(), Options{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(); err != nil {
			t.Error(err)
		}
	})
	return l
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
