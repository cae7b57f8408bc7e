package modules

import (
	"fmt"
	"path"
	"strings"
)

// A Record is what a unit was started with. It is evidence of one process: the
// one of the invocation in it.
type Record struct {
	Unit   string // what recording returns
	Config string // sha256 of the configuration
	Binary string // sha256 of the executable

	Invocation string // of the start that wrote it: systemd.exec(5), $INVOCATION_ID

	// Silent is the invocation whose API did not answer after its start.
	Silent string

	UnitFile string // sha256 of the unit's file alone
}

// recordPath is where a unit records what it was started with.
func recordPath(unit string) string {
	return path.Join("/run/xmrfleet", unit)
}

// recordCommand is the ExecStartPre that records what a unit is started with,
// outside of its sandbox and where only root writes. The revision stands in
// the unit's text, because systemd runs the unit as it was loaded; the checksum
// of the file and its drop-ins tells of edits that leave the revision alone. A
// start without this command leaves a record of another invocation, which is
// none of it. The files are looked at before they are hashed, so that a change
// between the two is not missed. No character of it means anything to systemd's
// own quoting, a variable without braces is the shell's, and a percent sign is
// two: systemd.service(5), systemd.unit(5).
func recordCommand(unit, revision, config, binary string) string {
	record := recordPath(unit)
	return fmt.Sprintf("+/bin/sh -c 'mkdir -p /run/xmrfleet && "+
		"{ files=`stat -Lc \"file %%%%d %%%%i %%%%.9Z\" %[2]s %[4]s %[5]s`; "+
		"echo unit %[1]s `cat %[2]s %[3]s/*.conf 2>/dev/null | sha256sum` $INVOCATION_ID; "+
		"sha256sum %[4]s %[5]s %[2]s; } >%[6]s.new && echo \"$files\" >>%[6]s.new && mv -f %[6]s.new %[6]s'",
		revision, unitDir+unit, dropIns(unit), config, binary, record)
}

// lookAtFiles prints of its arguments what recordCommand did of the same files:
// device, inode and time of the last change, which tell a file apart from what
// took its place since.
const lookAtFiles = `stat -Lc 'file %d %i %.9Z'`

// readRecord prints the record $2 for parseRecord.
const readRecord = `cat "$2" 2>/dev/null
[ ! -e "$2.silent" ] || echo "silent $(cat "$2.silent")"`

// parseRecord reads a record. What is cut off or was written in another way is
// no record.
func parseRecord(text string) Record {
	lines := strings.Split(text, "\n")
	unit := strings.Fields(lines[0])
	if len(lines) < 3 || len(unit) != 5 || unit[0] != "unit" {
		return Record{}
	}
	r := Record{Unit: unit[1] + " " + unit[2], Invocation: unit[4]}
	r.Config, _, _ = strings.Cut(lines[1], " ")
	r.Binary, _, _ = strings.Cut(lines[2], " ")
	for _, line := range lines[3:] {
		switch first, rest, _ := strings.Cut(line, " "); first {
		case "silent":
			r.Silent = rest
		case "", "file": // the host itself compares these: lookAtFiles
		default:
			r.UnitFile = first
		}
	}
	return r
}

// staleness says what of the process of an invocation is not as r wants it, or
// "". Have is the record that was found.
func (r Record) staleness(have Record, invocation string) string {
	if have.Invocation == "" || have.Invocation != invocation {
		return "it is not known what the running process was started with"
	}
	var old []string
	if have.Config != r.Config {
		old = append(old, "config")
	}
	if have.Binary != r.Binary {
		old = append(old, "binary")
	}
	if have.Unit != r.Unit {
		old = append(old, "unit")
	}
	switch {
	case old == nil && have.Silent == invocation:
		return "its API did not answer after the last start"
	case old == nil:
		return ""
	}
	return "the running process has the old " + strings.Join(old, " and ")
}
