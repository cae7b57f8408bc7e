// Package cache keeps what is remembered of a fleet file, in the user's cache
// directory: a file of JSON for each fleet file and each kind of thing.
//
// What lies there is a convenience. It may be lost at any time, and nothing may
// depend on it. A new kind is a word that no other package uses.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Path is where the kind of thing lies that is remembered of a fleet file,
// whatever the path that it is named by.
func Path(kind, file string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	sum := sha256.Sum256([]byte(file))
	return filepath.Join(dir, "xmrfleet", kind+"-"+hex.EncodeToString(sum[:8])+".json"), nil
}

// Write replaces the file at a Path by the JSON of v, or leaves it as it is.
func Write(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o600, renameio.WithTempDir(filepath.Dir(path)))
}
