// Package lastrun remembers, for each fleet file, the last command that was to
// change hosts, and on which of them it failed. It serves rerun and @failed.
//
// It keeps no secret and asks no host. What else is to be remembered of a run is
// a field of Run; the file of an older version is read as far as it goes.
package lastrun

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// A Run is the last command that was to change hosts of a fleet. It lies in the
// user's cache directory and may be lost at any time: nothing else reads it.
type Run struct {
	Command  string    `json:"command"`  // "apply"
	Args     []string  `json:"args"`     // the command line, without secrets
	Withheld bool      `json:"withheld"` // there were secrets
	Dir      string    `json:"dir"`      // where it was run
	Failed   []string  `json:"failed"`   // hosts that failed or were not reached
	At       time.Time `json:"at"`
}

// path is where the last run of a fleet file lies.
func path(file string) (string, error) {
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
	return filepath.Join(dir, "xmrfleet", "last-run-"+hex.EncodeToString(sum[:8])+".json"), nil
}

// Save makes this the last run of a fleet file: the command, its command line
// as it was given and with secrets masked, and the hosts that failed. Only the
// masked one is kept.
func Save(file, command string, args, masked, failed []string) error {
	r := Run{Command: command, Args: masked, Withheld: !slices.Equal(masked, args), Failed: failed, At: time.Now()}
	path, err := path(file)
	if err != nil {
		return err
	}
	if r.Dir, err = os.Getwd(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o600, renameio.WithTempDir(filepath.Dir(path)))
}

// Of returns the last run of a fleet file.
func Of(file string) (Run, error) {
	var r Run
	path, err := path(file)
	if err != nil {
		return r, fmt.Errorf("read the last run: %w", err)
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, hint.With(fmt.Errorf("read the last run: none of %s is remembered here", file),
			"remembered are the hosts that failed in the last apply, start, stop, restart or exec, by this user on this machine")

	case err != nil:
		return r, fmt.Errorf("read the last run: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil || len(r.Args) == 0 {
		return r, hint.With(fmt.Errorf("read the last run: %s is damaged", path), "remove it")
	}
	return r, nil
}

// String says which run it was.
func (r Run) String() string {
	return fmt.Sprintf("xmrfleet %s, %s", r.Command, r.At.Local().Format("2006-01-02 15:04"))
}

// Failed returns the hosts of the fleet that failed in its last run. Those that
// are not in the file any more are left out; none is an error.
func Failed(fleet *hcl.Fleet) ([]string, error) {
	r, err := Of(fleet.Path)
	if err != nil {
		return nil, fmt.Errorf("select @failed: %w", err)
	}
	var names []string
	for _, h := range fleet.Hosts {
		if slices.Contains(r.Failed, h.Name) {
			names = append(names, h.Name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("select @failed: no host of %s failed in the last run (%s)", fleet.Path, r)
	}
	return names, nil
}
