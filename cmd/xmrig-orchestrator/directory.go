package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// A directory is the one that a database is in. Where it was missing when
// systemd started the agent, it is read-only for the agent also after somebody
// made it, until the next start: systemd.exec(5), ReadWritePaths=.
type directory struct {
	path    string
	missing bool // at the last look
}

func directoryOf(database string) *directory {
	d := &directory{path: filepath.Dir(database), missing: true}
	d.shut()
	return d
}

// shut returns an error if only another start gives access to the directory.
func (d *directory) shut() error {
	if !d.missing {
		return nil
	}
	const write = 2 // W_OK
	err := syscall.Access(d.path, write)
	d.missing = errors.Is(err, fs.ErrNotExist)
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("directory %s: it was made after the agent's start, so that only the next one can write to it", d.path)
	}
	return nil
}
