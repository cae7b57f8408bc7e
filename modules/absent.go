package modules

import "strings"

// Absent is a path at which nothing may be. A directory goes with all it
// holds, but never across the border of a file system.
type Absent struct {
	Path string

	// Unit is set where Path is a unit file that systemd has to forget.
	Unit bool
}

func (a Absent) ID() string { return "absent " + a.Path }

func (a Absent) Validate() error { return validPath(a.Path) }

func (a Absent) Probe() Command {
	return Command{Script: fileProbe, Args: []string{a.Path, "0"}}
}

func (a Absent) Diff(probed string, _ Facts) (Change, error) {
	old, err := parseFile(probed)
	if err != nil || strings.HasPrefix(old.kind, "absent") {
		return Change{}, err
	}
	c := Change{Action: Delete, Fields: []Field{{Name: "type", Old: old.kind}},
		Steps: []Command{{Script: `rm -rf --one-file-system "$1"`, Args: []string{a.Path}}}}
	if a.Unit {
		c.Steps = append(c.Steps, daemonReload)
	}
	return c, nil
}
