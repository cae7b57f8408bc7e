package modules

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// An Archive is a release of XMRig, checked and opened. Of all its members
// only the executable is ever used: the config.json beside it would mine for
// the donation pool.
type Archive struct {
	SHA256 string // of the archive
	Binary *Blob  // the xmrig member
	Arch   string // GOARCH of the member; empty where it is no ELF file
}

// Bounds on what an archive may hold. A release is some 10 MB.
const (
	maxArchive = 128 << 20
	maxBinary  = 256 << 20
)

// OpenArchive reads the release archive at path, whose checksum has to be
// wantSHA256. The archive must be a regular file, a gzipped tar whose member
// names stay below their directory, with one regular file DIR/xmrig.
func OpenArchive(path, wantSHA256 string) (*Archive, error) {
	data, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", path, err)
	}
	got := sum256(data)
	if got != strings.ToLower(wantSHA256) {
		return nil, fmt.Errorf("open archive %s: its sha256 is %s, fleet.hcl wants %s", path, got, wantSHA256)
	}
	binary, err := extract(data)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", path, err)
	}
	return &Archive{SHA256: got, Binary: NewBlob(binary), Arch: arch(binary)}, nil
}

func readRegular(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.New("no such file")
	case err != nil:
		return nil, errors.Unwrap(err)
	case info.Mode()&os.ModeSymlink != 0:
		return nil, errors.New("it is a symbolic link; name the file itself")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxArchive:
		return nil, fmt.Errorf("it is larger than %d MiB", maxArchive>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	return data, nil
}

// extract returns the xmrig member. The whole archive is read, so that a
// truncated one is noticed wherever it ends.
func extract(archive []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("not a .tar.gz: %w", err)
	}
	var binary []byte
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("damaged or truncated: %w", err)
		}
		name := path.Clean(h.Name)
		if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			return nil, fmt.Errorf("member %q leaves the archive's directory", h.Name)
		}
		if path.Base(name) != "xmrig" || strings.Count(name, "/") > 1 || h.Typeflag == tar.TypeDir {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("member %q is not a regular file", h.Name)
		}
		if h.Size > maxBinary {
			return nil, fmt.Errorf("member %q is larger than %d MiB", h.Name, maxBinary>>20)
		}
		if binary, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("damaged or truncated: %w", err)
		}
	}
	if _, err := io.Copy(io.Discard, z); err != nil {
		return nil, fmt.Errorf("damaged or truncated: %w", err)
	}
	if binary == nil {
		return nil, errors.New("it has no xmrig member")
	}
	return binary, nil
}

func arch(binary []byte) string {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return ""
	}
	defer f.Close()
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
}
