package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// An Archive is a release archive on this machine.
type Archive struct {
	Path         string // absolute
	SHA256       string // of the archive, hex
	BinarySHA256 string // of its xmrig member
	Version      string
}

// Build builds the simulator and packs it into dir. Where the environment
// names an archive in XMRIG_ARCHIVE, that one is described instead and nothing
// is built.
func Build(ctx context.Context, dir string) (Archive, error) {
	if given := os.Getenv("XMRIG_ARCHIVE"); given != "" {
		return Read(given)
	}
	return BuildVersion(ctx, dir, Version)
}

// BuildVersion is Build for a simulator that says that it is another version.
// It does not look at the environment.
func BuildVersion(ctx context.Context, dir, version string) (Archive, error) {
	xmrig, err := Simulator(ctx, dir, version)
	if err != nil {
		return Archive{}, err
	}
	file := filepath.Join(dir, "xmrig-"+version+"-linux-static-x64.tar.gz")
	var packed bytes.Buffer
	if err := Pack(&packed, version, xmrig); err != nil {
		return Archive{}, err
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		return Archive{}, err
	}
	return Read(file)
}

// Simulator builds the simulator as dir/xmrig-VERSION, statically linked, and
// returns the binary. It must run inside the module.
func Simulator(ctx context.Context, dir, version string) ([]byte, error) {
	out, err := filepath.Abs(filepath.Join(dir, "xmrig-"+version))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X main.version="+version, "-o", out, "xmrfleet/cmd/xmrig-sim")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build simulator: %w: %s", err, text)
	}
	return os.ReadFile(out)
}

// Read describes an archive.
func Read(file string) (Archive, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return Archive{}, err
	}
	packed, err := os.ReadFile(abs)
	if err != nil {
		return Archive{}, err
	}
	a := Archive{Path: abs, SHA256: sum(packed)}
	if a.Version, a.BinarySHA256, err = inspect(packed); err != nil {
		return Archive{}, fmt.Errorf("read archive %s: %w", abs, err)
	}
	return a, nil
}

func inspect(packed []byte) (version, binarySHA256 string, err error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", "", err
	}
	for t := tar.NewReader(zip); ; {
		h, err := t.Next()
		if err == io.EOF {
			return "", "", errors.New("no xmrig member")
		}
		if err != nil {
			return "", "", err
		}
		dir, name := path.Split(path.Clean(h.Name))
		version, ok := strings.CutPrefix(strings.TrimSuffix(dir, "/"), "xmrig-")
		if !ok || name != "xmrig" || h.Typeflag != tar.TypeReg {
			continue
		}
		xmrig, err := io.ReadAll(t)
		return version, sum(xmrig), err
	}
}
