package modules

import (
	"errors"
	"fmt"
)

// A Symlink is a symbolic link with a known target. A file in its place is
// replaced; a directory is not.
type Symlink struct {
	Path, Target string // absolute
}

func (l Symlink) ID() string { return "symlink " + l.Path }

func (l Symlink) Validate() error { return errors.Join(validPath(l.Path), validPath(l.Target)) }

func (l Symlink) Probe() Command {
	return Command{Script: fileProbe, Args: []string{l.Path, "-1"}}
}

func (l Symlink) Diff(probed string, _ Facts) (Change, error) {
	old, err := parseFile(probed)
	if err != nil {
		return Change{}, fmt.Errorf("read %s: %w", l.ID(), err)
	}
	switch {
	case old.kind == "link" && old.target == l.Target:
		return Change{}, nil
	case old.kind == "absent":
		return Change{Action: Create, Fields: []Field{{Name: "target", New: l.Target}},
			Steps: []Command{l.link()}}, nil
	case old.kind == "link":
		return Change{Action: Update, Fields: []Field{{"target", old.target, l.Target}},
			Steps: []Command{l.link()}}, nil
	case old.kind == "file":
		return Change{Action: Update, Fields: []Field{{"type", "file", "link to " + l.Target}},
			Steps: []Command{l.link()}}, nil
	}
	return Change{}, fmt.Errorf("%s: a %s is in its place; move it away", l.Path, old.kind)
}

// link swaps the link atomically.
func (l Symlink) link() Command {
	return Command{Script: swapLink, Args: []string{l.Path, l.Target}}
}

const swapLink = `
set -eu
dir=${1%/*}
rm -f "$dir"/.xmrfleet.link
ln -s "$2" "$dir/.xmrfleet.link"
mv -fT "$dir/.xmrfleet.link" "$1"
sync "$dir"`
