package daemon

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// A directory is the one that a database is in. If it is made after systemd
// started the agent, it is read-only for the agent until the agent's next
// start: systemd.exec(5), ReadWritePaths=.
type directory struct {
	path     string
	readOnly bool // as of the last check
}

func directoryOf(database string) *directory {
	d := &directory{path: filepath.Dir(database)}
	d.check()
	return d
}

// check returns an error if the directory has become read-only since the last
// check: another start may give access to it. A directory that was read-only
// from the start is no error, because another start would not help.
func (d *directory) check() error {
	const write = 2 // W_OK
	was := d.readOnly
	d.readOnly = errors.Is(syscall.Access(d.path, write), syscall.EROFS)
	if d.readOnly && !was {
		return fmt.Errorf("directory %s: it has become read-only, as one does that is made after the agent's start; the next start may write to it", d.path)
	}
	return nil
}
