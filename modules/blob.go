package modules

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// A Blob is content on its way to a host: compressed once, however many hosts
// receive it. It is immutable and safe for concurrent use.
type Blob struct {
	SHA256 string // of the uncompressed bytes, lower-case hex
	Size   int64  // of the uncompressed bytes
	Gzip   []byte // the bytes as they travel
}

// NewBlob compresses data. The same data gives the same Blob, byte for byte.
func NewBlob(data []byte) *Blob {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed) // no error: the level is valid
	w.Write(data)                                     // no error: a buffer takes all
	w.Close()
	sum := sha256.Sum256(data)
	return &Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data)), Gzip: buf.Bytes()}
}

// BlobFromGzip takes content that is compressed already, as the agent inside
// the CLI is. The error says that it is not gzip.
func BlobFromGzip(compressed []byte) (*Blob, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("read compressed content: %w", err)
	}
	h := sha256.New()
	size, err := io.Copy(h, r)
	if err != nil {
		return nil, fmt.Errorf("read compressed content: %w", err)
	}
	return &Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: size, Gzip: compressed}, nil
}
