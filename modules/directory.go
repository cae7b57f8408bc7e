package modules

import (
	"errors"
	"fmt"
)

// A Directory is a directory with its owner and mode; what is inside is not
// its concern. Its parent must exist.
type Directory struct {
	Path         string
	Owner, Group string
	Mode         string // octal, four digits
}

func (d Directory) ID() string { return "directory " + d.Path }

func (d Directory) Validate() error {
	return errors.Join(validPath(d.Path), validOwner(d.Owner, d.Group), validMode(d.Mode))
}

func (d Directory) Probe() Command {
	return Command{Script: fileProbe, Args: []string{d.Path, "-1"}}
}

func (d Directory) Diff(probed string, _ Facts) (Change, error) {
	old, err := parseFile(probed)
	if err != nil {
		return Change{}, fmt.Errorf("read %s: %w", d.ID(), err)
	}
	switch old.kind {
	case "absent":
		return Change{
			Action: Create,
			Fields: []Field{{Name: "mode", New: d.Mode}, {Name: "owner", New: d.Owner + ":" + d.Group}},
			Steps: []Command{{
				Script: `install -d -o "$2" -g "$3" -m "0$4" "$1"`,
				Args:   []string{d.Path, d.Owner, d.Group, d.Mode},
			}},
		}, nil
	case "directory":
		fields := attributeFields(old.owned, d.Mode, d.Owner, d.Group)
		if len(fields) == 0 {
			return Change{}, nil
		}
		return Change{Action: Update, Fields: fields,
			Steps: []Command{setAttributes(d.Path, d.Owner, d.Group, d.Mode)}}, nil
	}
	return Change{}, fmt.Errorf("%s: a %s is in its place; move it away", d.Path, old.kind)
}
