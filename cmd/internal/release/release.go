// Package release makes release archives of the XMRig simulator in the layout
// of the official ones, sound or with a flaw, for tests and the demonstration.
// Nothing that is shipped may import it. A further way for an archive to be
// wrong is a Flaw, which the scripts of xmrfleet then name.
package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Version is the release that the simulator stands in for.
const Version = "6.26.0"

// A Flaw is what is wrong with an archive that no host may install.
type Flaw string

const (
	Sound        Flaw = ""
	Truncated    Flaw = "truncated"     // the gzip stream ends half-way
	NoBinary     Flaw = "no binary"     // there is no xmrig member
	EscapingPath Flaw = "escaping path" // a member is named ../xmrig
	BinaryIsLink Flaw = "link"          // the xmrig member is a symbolic link
)

// Flaws are all of them without Sound.
var Flaws = []Flaw{Truncated, NoBinary, EscapingPath, BinaryIsLink}

// Pack writes the archive of a version with the binary xmrig. The same input
// gives the same bytes.
func Pack(w io.Writer, version string, xmrig []byte) error {
	return PackFlawed(w, version, xmrig, Sound)
}

// PackFlawed writes an archive like Pack's that has the flaw.
func PackFlawed(w io.Writer, version string, xmrig []byte, flaw Flaw) error {
	if flaw == Truncated {
		var whole bytes.Buffer
		if err := Pack(&whole, version, xmrig); err != nil {
			return err
		}
		_, err := w.Write(whole.Bytes()[:whole.Len()/2])
		return err
	}
	dir := "xmrig-" + version + "/"
	sums := fmt.Sprintf("%s *config.json\n%s *xmrig\n", sum([]byte(donation)), sum(xmrig))
	binary := tar.Header{Name: dir + "xmrig", Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(xmrig))}
	switch flaw {
	case EscapingPath:
		binary.Name = dir + "../../xmrig"
	case BinaryIsLink:
		binary.Typeflag, binary.Linkname, binary.Size = tar.TypeSymlink, "/bin/sh", 0
	}

	zip := gzip.NewWriter(w)
	t := tar.NewWriter(zip)
	add := func(h tar.Header, content []byte) error {
		h.ModTime = time.Unix(0, 0)
		if err := t.WriteHeader(&h); err != nil {
			return err
		}
		_, err := t.Write(content[:h.Size])
		return err
	}
	err := add(tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir}, nil)
	if err == nil {
		err = add(tar.Header{Name: dir + "SHA256SUMS", Mode: 0o644, Size: int64(len(sums))}, []byte(sums))
	}
	if err == nil {
		err = add(tar.Header{Name: dir + "config.json", Mode: 0o644, Size: int64(len(donation))}, []byte(donation))
	}
	if err == nil && flaw != NoBinary {
		err = add(binary, xmrig)
	}
	if err == nil {
		err = t.Close()
	}
	if err == nil {
		err = zip.Close()
	}
	if err != nil {
		return fmt.Errorf("pack release %s: %w", version, err)
	}
	return nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// donation is a configuration as official archives hold one: it is valid, and
// mines for the developers.
const donation = `{
    "autosave": true,
    "cpu": true,
    "opencl": false,
    "cuda": false,
    "pools": [
        {
            "url": "donate.v2.xmrig.com:3333",
            "user": "YOUR_WALLET_ADDRESS"
        }
    ]
}
`
