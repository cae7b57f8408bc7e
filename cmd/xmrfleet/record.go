package main

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

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// A record says what the last command that was to change hosts of a fleet was,
// and on which hosts it failed. It lies in the user's cache directory, serves
// @failed and rerun, and may be lost at any time: nothing else reads it.
type record struct {
	Command  string    `json:"command"`  // "apply"
	Args     []string  `json:"args"`     // the command line, without secrets
	Withheld bool      `json:"withheld"` // there were secrets
	Dir      string    `json:"dir"`      // where it was run
	Failed   []string  `json:"failed"`   // hosts that failed or were not reached
	At       time.Time `json:"at"`
}

// recordPath is where the record of a fleet file lies.
func recordPath(file string) (string, error) {
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

// remember writes the record of this run. That it cannot is worth a word only
// if a host failed.
func (p *Program) remember(file string, failed []string) {
	r := record{Command: p.verb, Args: make([]string, len(p.args)), Failed: failed, At: time.Now()}
	for i, a := range p.args {
		r.Args[i] = p.out.Mask(a)
	}
	r.Withheld = !slices.Equal(r.Args, p.args)
	if err := r.write(file); err != nil && len(failed) > 0 {
		fmt.Fprintf(p.err, "The hosts that failed are not remembered for `xmrfleet rerun`: %v\n", err)
	}
}

func (r record) write(file string) error {
	path, err := recordPath(file)
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
	f, err := os.CreateTemp(filepath.Dir(path), ".last-run-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// readRecord returns what is remembered of a fleet file.
func readRecord(file string) (record, error) {
	var r record
	path, err := recordPath(file)
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
func (r record) String() string {
	return fmt.Sprintf("xmrfleet %s, %s", r.Command, r.At.Local().Format("2006-01-02 15:04"))
}

// lastFailed is what @failed stands for. Hosts that are not in the file any
// more are left out.
func lastFailed(fleet *hcl.Fleet) ([]string, error) {
	r, err := readRecord(fleet.Path)
	if err != nil {
		return nil, fmt.Errorf("select @%s: %w", failedGroup, err)
	}
	var names []string
	for _, h := range fleet.Hosts {
		if slices.Contains(r.Failed, h.Name) {
			names = append(names, h.Name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("select @%s: no host of %s failed in the last run (%s)", failedGroup, fleet.Path, r)
	}
	return names, nil
}
