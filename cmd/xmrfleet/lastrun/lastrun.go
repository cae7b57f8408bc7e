// Package lastrun remembers, for each fleet file, the last run of each command
// that changes hosts, and on which of them it failed. It serves rerun and
// @failed.
//
// It keeps no secret and asks no host. What else is to be remembered of a run is
// a field of Run; the file of an older version is read as far as it goes.
package lastrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"xmrfleet/cmd/xmrfleet/cache"
	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// A Run is the last one of a command that changes hosts of a fleet. It lies in
// the user's cache directory and may be lost at any time: nothing else reads it.
type Run struct {
	Command  string    `json:"command"`  // "apply"
	Args     []string  `json:"args"`     // the command line, without secrets
	Withheld bool      `json:"withheld"` // there were secrets
	Dir      string    `json:"dir"`      // where it was run
	Failed   []string  `json:"failed"`   // hosts that failed or were not reached, and are not repaired since
	At       time.Time `json:"at"`
}

// A record is what is kept of a fleet file. Run is what an older version kept.
type record struct {
	*Run
	Runs []Run `json:"runs"` // one of each command, the newest last
}

// path is where the last runs of a fleet file lie.
func path(file string) (string, error) { return cache.Path("last-run", file) }

// Save makes this the last run of its command, from this directory and now. A
// host on which it went well, one of done, is repaired: what failed there before
// is forgotten. A host that it did not go to stays failed.
func Save(file string, r Run, done []string) error {
	path, err := path(file)
	if err != nil {
		return err
	}
	if r.Dir, err = os.Getwd(); err != nil {
		return err
	}
	r.At = time.Now()
	runs, _ := read(path) // an error: a record that cannot be read is replaced
	return cache.Write(path, record{Runs: replaced(runs, r, done)})
}

// replaced are the last runs with r, which went well on done, as the newest.
func replaced(runs []Run, r Run, done []string) []Run {
	var kept []Run
	for _, old := range runs {
		if intention(old.Command) == intention(r.Command) {
			old.Failed = slices.DeleteFunc(old.Failed, func(host string) bool {
				return slices.Contains(done, host) || slices.Contains(r.Failed, host)
			})
		}
		switch {
		case old.Command != r.Command:
			kept = append(kept, old)
		case r.Command != "exec" || slices.Equal(Restricted(old.Args, nil), Restricted(r.Args, nil)):
			r.Failed = append(slices.Clone(r.Failed), old.Failed...)
		}
	}
	return append(kept, r)
}

// intention is what commands have in common that overrule each other.
func intention(command string) string {
	switch command {
	case "start", "stop", "restart":
		return "control"
	}
	return command
}

// read returns the last run of each command, the newest last.
func read(path string) ([]Run, error) {
	var r record
	if err := cache.Read(path, &r); err != nil {
		return nil, err
	}
	if r.Run != nil {
		r.Runs = append(r.Runs, *r.Run)
	}
	if len(r.Runs) == 0 || slices.ContainsFunc(r.Runs, func(r Run) bool { return len(r.Args) == 0 }) {
		return nil, cache.ErrDamaged
	}
	return r.Runs, nil
}

// Of returns the newest run of a fleet file that failed on some host and is not
// repaired there; if none is, the newest one. With a command it is that of the
// command.
func Of(file, command string) (Run, error) {
	path, err := path(file)
	if err != nil {
		return Run{}, fmt.Errorf("read the last run: %w", err)
	}
	runs, err := read(path)
	if err == nil && command != "" {
		runs = slices.DeleteFunc(runs, func(r Run) bool { return r.Command != command })
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(runs) == 0:
		return Run{}, hint.With(fmt.Errorf("read the last run: %s of %s is remembered here", noneOf(command), file),
			"remembered are the hosts that failed in the last apply, start, stop, restart or exec, by this user on this machine")
	case errors.Is(err, cache.ErrDamaged):
		return Run{}, hint.With(fmt.Errorf("read the last run: %s is damaged", path), "remove it")
	case err != nil:
		return Run{}, fmt.Errorf("read the last run: %w", err)
	}
	for _, r := range slices.Backward(runs) {
		if len(r.Failed) > 0 {
			return r, nil
		}
	}
	return runs[len(runs)-1], nil
}

func noneOf(command string) string {
	if command == "" {
		return "none"
	}
	return "no " + command
}

// String says which run it was.
func (r Run) String() string {
	return fmt.Sprintf("xmrfleet %s, %s", r.Command, r.At.Local().Format("2006-01-02 15:04"))
}

// Failed returns the hosts of the fleet that failed in the run that Of finds.
// Those that are not in the file any more are left out; none is an error.
func Failed(fleet *hcl.Fleet, command string) ([]string, error) {
	r, err := Of(fleet.Path, command)
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
