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
// none of it. No character of it means anything to systemd's own quoting, and
// a variable without braces is the shell's: systemd.service(5).
func recordCommand(unit, revision, config, binary string) string {
	record := recordPath(unit)
	return fmt.Sprintf("+/bin/sh -c 'mkdir -p /run/xmrfleet && "+
		"{ echo unit %s `cat %s %s/*.conf 2>/dev/null | sha256sum` $INVOCATION_ID; sha256sum %s %s; } >%s.new && mv -f %s.new %s'",
		revision, unitDir+unit, dropIns(unit), config, binary, record, record, record)
}

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
	if len(lines) > 3 {
		r.Silent, _ = strings.CutPrefix(lines[3], "silent ")
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
