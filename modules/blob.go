package modules

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// A Blob is content on its way to a host: compressed once, when the first
// host needs it, and shared by all that do. It is immutable and safe for
// concurrent use.
type Blob struct {
	SHA256 string        // of the uncompressed bytes, lower-case hex
	Gzip   func() []byte // the bytes as they travel
}

// NewBlob is a blob of data, which must not be changed any more.
func NewBlob(data []byte) *Blob {
	return &Blob{SHA256: sum256(data), Gzip: sync.OnceValue(func() []byte { return compress(data) })}
}

func compress(data []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed) // no error: the level is valid
	w.Write(data)                                     // no error: a buffer takes all
	w.Close()
	return buf.Bytes()
}

func sum256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
