package modules

import "strings"

// A UnitEvidence is what a host shows of one of our units and of the files that
// it is started with, without their contents.
type UnitEvidence struct {
	Invocation string // of the process that runs, or ran last
	File       string // UnitFileState: "enabled"
	Reload     bool   // the unit file is newer than what systemd loaded
	DropIns    bool   // there are drop-ins in /etc

	// Record is that of the last start that wrote one.
	Record Record

	// Sums are the checksums of the files as they are now, by path; nil if
	// none of them changed since Record was written.
	Sums map[string]string
}

// recorded reports whether Record is of the process that runs.
func (e UnitEvidence) recorded() bool {
	return e.Record.Invocation != "" && e.Record.Invocation == e.Invocation
}

// sum is the checksum of a file now: recorded if none has changed, "gone" if it
// is not there.
func (e UnitEvidence) sum(path, recorded string) string {
	if e.Sums == nil {
		return recorded
	}
	if sum, ok := e.Sums[path]; ok {
		return sum
	}
	return "gone"
}

// has reports whether a file is known to be there.
func (e UnitEvidence) has(path string) bool {
	_, ok := e.Sums[path]
	return ok
}

// evidenceProbe defines a function that prints, in lines that begin with $1, the
// record of the unit $2 and, unless the files that follow are those of the record
// and nobody changed them since, their checksums. The last one is the executable,
// which alone may be a link.
//
// Hashing what did not change would cost more than all the rest of a status. The
// kernel keeps when each file last changed, and lets nobody set that: inode(7),
// ctime. It is compared for being the same, since a clock may be set back.
const evidenceProbe = `
evidence() {
	name=$1 record=/run/xmrfleet/$2
	[ ! -e "/etc/systemd/system/$2.d" ] || echo "$name.dropins=yes"
	shift 2
	files= newline='
'
	if [ -e "$record" ]; then
		while IFS= read -r line; do
			printf '%s\n' "$name.record=$line"
			case $line in "file "*) files=$files${files:+$newline}$line ;; esac
		done <"$record"
		[ ! -e "$record.silent" ] || printf '%s\n' "$name.record=silent $(cat "$record.silent")"
	fi
	if [ ! -L "$1" ] && [ ! -L "$2" ] && [ -n "$files" ] && [ "$(` + lookAtFiles + ` "$@" 2>/dev/null)" = "$files" ]; then
		return
	fi
	echo "$name.hashed=yes"
	for file in "$1" "$2"; do
		[ ! -L "$file" ] || echo "$name.sum=link  - $file"
		[ -L "$file" ] || [ ! -f "$file" ] || echo "$name.sum=$(sha256sum <"$file") $file"
	done
	[ ! -f "$3" ] || echo "$name.sum=$(sha256sum <"$3") $3"
}
`

// parseEvidence reads what systemctl shows of a unit, and the lines that
// evidenceProbe printed of it under a name.
func parseEvidence(shown map[string]string, probed, name string) UnitEvidence {
	e := UnitEvidence{Invocation: shown["InvocationID"], File: shown["UnitFileState"], Reload: shown["NeedDaemonReload"] == "yes"}
	var record strings.Builder
	for line := range strings.Lines(probed) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch strings.TrimPrefix(key, name+".") {
		case "dropins":
			e.DropIns = true
		case "record":
			record.WriteString(value + "\n")
		case "hashed":
			e.Sums = make(map[string]string)
		case "sum":
			if sum, path, ok := strings.Cut(value, "  - "); ok && e.Sums != nil {
				e.Sums[path] = sum
			}
		}
	}
	e.Record = parseRecord(record.String())
	return e
}
