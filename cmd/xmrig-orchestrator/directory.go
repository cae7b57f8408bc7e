package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// A directory is the one that a database is in. Where it is made, or made anew,
// after systemd started the agent, it is read-only for the agent until the next
// start: systemd.exec(5), ReadWritePaths=.
type directory struct {
	path     string
	readOnly bool // at the last look
}

func directoryOf(database string) *directory {
	d := &directory{path: filepath.Dir(database)}
	d.shut()
	return d
}

// shut returns an error if another start may give access to the directory: it
// has become read-only since the last look. One that always was is left alone.
func (d *directory) shut() error {
	const write = 2 // W_OK
	was := d.readOnly
	d.readOnly = errors.Is(syscall.Access(d.path, write), syscall.EROFS)
	if d.readOnly && !was {
		return fmt.Errorf("directory %s: it has become read-only, as one does that is made after the agent's start; the next start may write to it", d.path)
	}
	return nil
}
