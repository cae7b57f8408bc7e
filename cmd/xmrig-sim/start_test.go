//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func configFor(pool string) string {
	return fmt.Sprintf(`{"pools": [{"url": "%s"}]}`, pool)
}

// TestConfigSearch places files where XMRig looks for them and reads from the
// log which pool it would mine for.
func TestConfigSearch(t *testing.T) {
	const (
		good     = "fleet.example:1"
		donation = "donate.v2.xmrig.com:3333"
	)
	tests := []struct {
		name  string
		files map[string]string // below the root; bin/xmrig is the binary
		args  []string          // $ROOT stands for the root
		pool  string            // "" for none: exit code 2
	}{
		{"named", map[string]string{"c.json": configFor(good), "bin/config.json": configFor(donation)},
			[]string{"-c", "$ROOT/c.json"}, good},
		{"named with =", map[string]string{"c.json": configFor(good)}, []string{"--config=$ROOT/c.json"}, good},
		{"named with a space", map[string]string{"c.json": configFor(good)}, []string{"--config", "$ROOT/c.json"}, good},
		{"comments and trailing commas", map[string]string{
			"c.json": "// a, }\n{\"pools\": [{\"url\": \"fleet.example:1\", /* , */ }, ], }"},
			[]string{"-c", "$ROOT/c.json"}, good},
		{"broken file falls to the one beside the binary", map[string]string{
			"c.json": `{"pools": [`, "bin/config.json": configFor(donation)}, []string{"-c", "$ROOT/c.json"}, donation},
		{"no enabled pool falls to the one beside the binary", map[string]string{
			"c.json":          `{"pools": [{"url": "fleet.example:1", "enabled": false}]}`,
			"bin/config.json": configFor(donation)}, []string{"-c", "$ROOT/c.json"}, donation},
		{"absent file falls to the one beside the binary", map[string]string{"bin/config.json": configFor(donation)},
			[]string{"-c", "$ROOT/c.json"}, donation},
		{"data-dir hides the one beside the binary", map[string]string{
			"c.json": `{"pools": [`, "bin/config.json": configFor(donation), "data/x": ""},
			[]string{"-c", "$ROOT/c.json", "--data-dir=$ROOT/data"}, ""},
		{"data-dir", map[string]string{"data/config.json": configFor(good)}, []string{"--data-dir", "$ROOT/data"}, good},
		{"data-dir moves a relative name", map[string]string{"data/c.json": configFor(good)},
			[]string{"--data-dir=$ROOT/data", "-c", "c.json"}, good},
		{"home", map[string]string{"home/.xmrig.json": configFor(good), "home/.config/xmrig.json": configFor(donation)}, nil, good},
		{"home/.config", map[string]string{"home/.config/xmrig.json": configFor(good)}, nil, good},
		{"nothing", nil, nil, ""},
		{"text after the object", map[string]string{"c.json": configFor(good) + "}"}, []string{"-c", "$ROOT/c.json"}, ""},
		{"a port that is none", map[string]string{"c.json": configFor("fleet.example:0")}, []string{"-c", "$ROOT/c.json"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for _, dir := range []string{"bin", "data", "home/.config"} {
				os.MkdirAll(filepath.Join(root, dir), 0o755)
			}
			os.Symlink(binary, filepath.Join(root, "link"))
			if err := os.Link(binary, filepath.Join(root, "bin/xmrig")); err != nil {
				t.Fatal(err)
			}
			for name, text := range test.files {
				write(t, filepath.Join(root, name), text)
			}
			args := []string{"--dry-run"}
			for _, a := range test.args {
				args = append(args, strings.ReplaceAll(a, "$ROOT", root))
			}
			cmd := exec.Command(filepath.Join(root, "bin/xmrig"), args...)
			cmd.Dir = root
			cmd.Env = []string{"HOME=" + filepath.Join(root, "home")}
			out, _ := cmd.Output()
			if test.pool == "" {
				if cmd.ProcessState.ExitCode() != 2 || !strings.HasSuffix(string(out), "No valid configuration found. Exiting.\n") {
					t.Errorf("exit code %d, output %q", cmd.ProcessState.ExitCode(), out)
				}
				return
			}
			if cmd.ProcessState.ExitCode() != 0 ||
				!strings.Contains(string(out), " * POOL #1      "+test.pool+" algo auto\n") ||
				!strings.HasSuffix(string(out), "  config   OK\n") {
				t.Errorf("exit code %d, output %q, want pool %s", cmd.ProcessState.ExitCode(), out, test.pool)
			}
		})
	}
}

func TestConfigBesideTheResolvedBinary(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "store")
	os.Mkdir(real, 0o755)
	os.Link(binary, filepath.Join(real, "xmrig"))
	os.Symlink("store/xmrig", filepath.Join(dir, "xmrig"))
	write(t, filepath.Join(dir, "config.json"), configFor("link.example:1"))
	write(t, filepath.Join(real, "config.json"), configFor("store.example:1"))
	out, err := exec.Command(filepath.Join(dir, "xmrig"), "--dry-run").Output()
	if err != nil || !strings.Contains(string(out), "store.example:1") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestVersion(t *testing.T) {
	for _, flag := range []string{"--version", "-V"} {
		out, err := exec.Command(binary, flag).Output()
		first, rest, _ := strings.Cut(string(out), "\n")
		if err != nil || first != "XMRig 6.26.0" || !strings.HasPrefix(rest, " built on ") {
			t.Errorf("%s: %v: %q", flag, err, out)
		}
	}
}

func TestUnknownOptionStarts(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "c.json"), configFor("fleet.example:1"))
	cmd := exec.Command(binary, "--print-platforms", "-c", file, "--dry-run")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "unrecognized option '--print-platforms'\n") ||
		!strings.HasSuffix(string(out), "OK\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSilentIntoFile: into a regular file goes nothing but what is said before
// a configuration is accepted.
func TestSilentIntoFile(t *testing.T) {
	dir := t.TempDir()
	for config, want := range map[string]string{configFor("fleet.example:1"): "", "{": "No valid configuration"} {
		file := write(t, filepath.Join(dir, "c.json"), config)
		log, err := os.Create(filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary, "-c", file, "--dry-run")
		cmd.Stdout = log
		cmd.Env = []string{"HOME=" + dir}
		cmd.Run()
		log.Close()
		got, _ := os.ReadFile(log.Name())
		if (want == "") != (len(got) == 0) || !strings.Contains(string(got), want) {
			t.Errorf("config %s: log %q, want %q", config, got, want)
		}
	}
}

func TestUnixSocketGetsTheLog(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	cmd := exec.Command(binary, "--dry-run", "-c", write(t, filepath.Join(t.TempDir(), "c.json"), configFor("fleet.example:1")))
	cmd.Stdout = theirs
	err = cmd.Run()
	theirs.Close()
	got := make([]byte, 1000)
	n, _ := ours.Read(got)
	if err != nil || !strings.Contains(string(got[:n]), "POOL #1") {
		t.Errorf("%v: %q", err, got[:n])
	}
}

func TestSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		p := start(t, "", `"restricted": true`, "")
		p.Process.Signal(syscall.SIGUSR1)
		p.summary()
		p.Process.Signal(s)
		p.await("received, exiting")
		if got := p.ended(); got != "exit status 0" {
			t.Errorf("%v: %s", s, got)
		}
	}
}

func TestCrash(t *testing.T) {
	for control, want := range map[string]string{
		"crash=abort": "signal: aborted", "crash=segv": "signal: segmentation fault", "crash=exit:3": "exit status 3",
	} {
		p := start(t, "", `"restricted": true`, "")
		p.write(control)
		if got := p.ended(); got != want {
			t.Errorf("%s: %s, stderr %s", control, got, p.stderr)
		}
		again := launch(t, control, configFor("fleet.example:1"))
		if got := again.ended(); got != want {
			t.Errorf("%s at the start: %s", control, got)
		}
	}
}
