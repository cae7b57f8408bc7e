// Package cache keeps what is remembered in the user's cache directory: files of
// JSON, most of them one for each fleet file and each kind of thing.
//
// What lies there is a convenience. It may be lost at any time, and nothing may
// depend on it. A new kind is a word that no other package uses.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Path is where the kind of thing lies that is remembered of a fleet file,
// whatever the path that it is named by.
func Path(kind, file string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	sum := sha256.Sum256([]byte(file))
	return Named(kind + "-" + hex.EncodeToString(sum[:8]) + ".json")
}

// Named is where a thing lies that belongs to no fleet file.
func Named(name string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "xmrfleet", name), nil
}

// ErrDamaged is Read's error for what is no JSON of the kind.
var ErrDamaged = errors.New("damaged")

// Read sets v, a pointer, to what Write wrote at the path. An error that is not
// ErrDamaged is that of os.ReadFile.
func Read(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, v) != nil {
		return ErrDamaged
	}
	return nil
}

// Write replaces the file at a path by the JSON of v, or leaves it as it is.
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
