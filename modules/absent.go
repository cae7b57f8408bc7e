package modules

import (
	"fmt"
	"path"
)

// Absent is a path at which nothing may be. A directory goes with all it
// holds, but never across the border of a file system.
type Absent struct {
	Path string

	// Kind is what is to be removed, in the word of the resource that puts it
	// there: "file", "unit", "executable". Empty: "file".
	Kind string

	// EmptyParent says that the directory goes too if nothing else is in it.
	EmptyParent bool

	// Unit is set where Path is a unit file, or a directory of drop-ins, that
	// systemd has to forget.
	Unit bool
}

// ID is that of what goes.
func (a Absent) ID() string {
	switch a.Kind {
	case "":
		return "file " + a.Path
	case "unit":
		return "unit " + path.Base(a.Path)
	}
	return a.Kind + " " + a.Path
}

// expects reports whether what was found is what its Kind says.
func (a Absent) expects(found string) bool {
	switch a.Kind {
	case "directory", "drop-ins":
		return found == "directory"
	}
	return found == "file"
}

func (a Absent) Validate() error { return validPath(a.Path) }

const absentProbe = fileProbe + `
if [ "$3" = yes ] && [ -d "${1%/*}" ] && [ -z "$(ls -A "${1%/*}")" ]; then echo 'empty parent'; fi`

func (a Absent) Probe() Command {
	return Command{Script: absentProbe, Args: []string{a.Path, "-1", yes(a.EmptyParent)}}
}

const remove = `
set -e
rm -rf --one-file-system "$1"
[ "$2" = no ] || [ ! -d "${1%/*}" ] || rmdir --ignore-fail-on-non-empty "${1%/*}"`

func (a Absent) Diff(probed string, _ Facts) (Change, error) {
	if probed == "absent\n" {
		return Change{}, nil
	}
	old, err := parseFile(probed)
	if err != nil {
		return Change{}, fmt.Errorf("read %s: %w", a.ID(), err)
	}
	c := Change{Action: Delete, Steps: []Command{{Script: remove, Args: []string{a.Path, yes(a.EmptyParent)}}}}
	switch {
	case old.kind == "absent":
		c.Reason = "only its empty directory is left"
	case !a.expects(old.kind):
		c.Fields = []Field{{Name: "it is a", Old: old.kind}}
	}
	if a.Unit {
		c.Steps = append(c.Steps, daemonReload)
	}
	return c, nil
}
