package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// list is one line for each member: type, mode, name, link, size.
func list(packed []byte) (string, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for t := tar.NewReader(zip); ; {
		h, err := t.Next()
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		n, err := io.Copy(io.Discard, t)
		if err != nil {
			return out.String(), err
		}
		fmt.Fprintf(&out, "%c %o %s %s %d\n", h.Typeflag, h.Mode, h.Name, h.Linkname, n)
	}
}

func TestPack(t *testing.T) {
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := Pack(w, "6.26.0", []byte("binary")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same input gave two archives")
	}
	got, err := list(first.Bytes())
	want := fmt.Sprintf("5 755 xmrig-6.26.0/  0\n0 644 xmrig-6.26.0/SHA256SUMS  150\n"+
		"0 644 xmrig-6.26.0/config.json  %d\n0 755 xmrig-6.26.0/xmrig  6\n", len(donation))
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestFlaws(t *testing.T) {
	content := bytes.Repeat([]byte("binary"), 1000)
	for flaw, want := range map[Flaw]string{
		Truncated:    "unexpected EOF",
		NoBinary:     "config.json",
		EscapingPath: "0 755 xmrig-6.26.0/../../xmrig  6000\n",
		BinaryIsLink: "2 755 xmrig-6.26.0/xmrig /bin/sh 0\n",
	} {
		var packed bytes.Buffer
		if err := PackFlawed(&packed, "6.26.0", content, flaw); err != nil {
			t.Fatal(err)
		}
		members, err := list(packed.Bytes())
		if got := members + fmt.Sprint(err); !strings.Contains(got, want) {
			t.Errorf("%s: %s", flaw, got)
		}
		file := filepath.Join(t.TempDir(), "a.tar.gz")
		if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if a, err := Read(file); err == nil {
			t.Errorf("%s: read as %+v", flaw, a)
		}
	}
	if len(Flaws) != 4 {
		t.Errorf("%d flaws are listed", len(Flaws))
	}
}

// needLinux skips the test where the simulator does not run.
func needLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the simulator runs on Linux only")
	}
}

func TestBuild(t *testing.T) {
	needLinux(t)
	t.Setenv("XMRIG_ARCHIVE", "")
	dir := t.TempDir()
	a, err := Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.Version != "6.26.0" || filepath.Base(a.Path) != "xmrig-6.26.0-linux-static-x64.tar.gz" || len(a.SHA256) != 64 {
		t.Errorf("%+v", a)
	}
	out, err := exec.Command("tar", "-xzf", a.Path, "-C", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = filepath.Join(dir, "xmrig-6.26.0")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
	xmrig, err := os.ReadFile(filepath.Join(check.Dir, "xmrig"))
	if err != nil || sum(xmrig) != a.BinarySHA256 {
		t.Errorf("%v: sha256 of the binary is not %s", err, a.BinarySHA256)
	}

	// The unpacked release mines for the developers.
	out, err = exec.Command(filepath.Join(check.Dir, "xmrig"), "--dry-run").Output()
	if err != nil || !strings.Contains(string(out), "POOL #1      donate.v2.xmrig.com:3333") {
		t.Errorf("%v: %s", err, out)
	}

	again, err := Build(t.Context(), t.TempDir())
	if err != nil || again.SHA256 != a.SHA256 {
		t.Errorf("%v: built twice: %s and %s", err, a.SHA256, again.SHA256)
	}
	t.Setenv("XMRIG_ARCHIVE", a.Path)
	given, err := Build(t.Context(), t.TempDir())
	if err != nil || given != a {
		t.Errorf("given archive: %v: %+v", err, given)
	}
}

func TestBuildVersion(t *testing.T) {
	needLinux(t)
	dir := t.TempDir()
	a, err := BuildVersion(t.Context(), dir, "6.27.1")
	if err != nil || a.Version != "6.27.1" {
		t.Fatalf("%v: %+v", err, a)
	}
	out, err := exec.Command(filepath.Join(dir, "xmrig-6.27.1"), "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "XMRig 6.27.1\n") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestPackCommand(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command("go", "run", "xmrfleet/cmd/xmrig-pack", dir).Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	a, err := Read(fields[0])
	if err != nil || a.SHA256 != fields[1] || filepath.Dir(a.Path) != dir {
		t.Errorf("%v: printed %q, is %+v", err, out, a)
	}
}
