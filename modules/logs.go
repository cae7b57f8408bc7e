package modules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Logs says which entries of a unit's journal are wanted.
type Logs struct {
	Unit   string
	Lines  int    // at most so many of those that are there; AllLines: all
	Since  string // only what is younger: a duration, or a time as journalctl takes it; empty: any
	Follow bool   // then what comes, until the connection ends

	// Resume goes on with what came behind Cursor, or with all there is if
	// that is empty. Lines and Since do not count.
	Resume bool
	Cursor string
}

// AllLines is the Lines of who wants all of them.
const AllLines = -1

// journalFlags ask for our namespace and the default one, in which PID 1 tells
// of starts and stops.
var journalFlags = []string{"--quiet", "--no-pager", "--all", "--namespace=+xmrig", "--output=json",
	"--output-fields=MESSAGE,SYSLOG_IDENTIFIER"}

// plain: systemd 247 colours its errors for pipes, too.
const plain = `export SYSTEMD_LOG_COLOR=0
`

const logScript = plain + `exec journalctl "$@"`

// lastScript prints the last --lines behind --since. Forwards, journalctl
// would print the first ones.
const lastScript = plain + `
exec 3>&1
exit "$({ { journalctl "$@" --reverse; echo $? >&4; } | tac >&3; } 4>&1)"`

// followScript prints what is there, the cursor of its last entry, and what
// comes. $1 and $2 are flags for the first part alone. Where that has nothing,
// the cursor is that of the last entry of all before it, if there is one:
// journalctl says by status 1 that there is none. The last lines are got as by
// lastScript.
const followScript = plain + `
some=$1 since=$2 order=${1:+tac}
shift 2
cursor=$(journalctl "$@" --lines=0 --show-cursor)
cursor=${cursor#-- cursor: }
{ journalctl "$@" ${some:+"$some" --reverse} ${since:+"$since"} || echo "failed: $?"; } | "${order:-cat}" | {
	while IFS= read -r line; do
		case $line in
		*'"__CURSOR":"'*) cursor=${line#*'"__CURSOR":"'} cursor=${cursor%%'"'*} ;;
		'failed: '*) exit "${line#failed: }" ;;
		esac
		printf '%s\n' "$line"
	done
	printf '{"TOLD":"%s"}\n' "$cursor"
	exec journalctl "$@" --follow --no-tail ${cursor:+"--after-cursor=$cursor"}
}`

// Command prints the entries, a line each, in the order of the journal.
// ParseLogEntry understands a line.
func (l Logs) Command() Command {
	common := append(slices.Clone(journalFlags), "--unit="+l.Unit)
	if l.Resume {
		args := append(common, "--follow", "--no-tail")
		if l.Cursor != "" {
			args = append(args, "--after-cursor="+l.Cursor)
		}
		return Command{Script: logScript, Args: args}
	}
	some, since := "", ""
	if l.Lines != AllLines {
		some = "--lines=" + strconv.Itoa(l.Lines)
	}
	if l.Since != "" {
		since = "--since=" + sinceTime(l.Since)
	}
	switch {
	case l.Follow:
		return Command{Script: followScript, Args: append([]string{some, since}, common...)}
	case some != "" && since != "":
		return Command{Script: lastScript, Args: append(common, some, since)}
	}
	return Command{Script: logScript, Args: slices.DeleteFunc(append(common, some, since), func(flag string) bool { return flag == "" })}
}

// sinceTime makes of a duration a time that a host counts by its own clock.
func sinceTime(text string) string {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return fmt.Sprintf("-%dus", d.Microseconds())
	}
	return text
}

// A LogEntry is an entry of a journal.
type LogEntry struct {
	Time   time.Time
	From   string // who wrote it: SYSLOG_IDENTIFIER
	Text   string
	Cursor string // where it stands in the journal

	// PastEnds is set in a line that is no entry: it stands between what was
	// there and what comes, with the cursor of the last entry that was there.
	PastEnds bool
}

// ParseLogEntry reads a line that the command of [Logs] printed.
func ParseLogEntry(line []byte) (LogEntry, error) {
	var fields struct {
		Time    string          `json:"__REALTIME_TIMESTAMP"`
		From    json.RawMessage `json:"SYSLOG_IDENTIFIER"`
		Message json.RawMessage `json:"MESSAGE"`
		Cursor  string          `json:"__CURSOR"`
		Told    *string         `json:"TOLD"` // a cursor, of followScript
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		return LogEntry{}, fmt.Errorf("read journal: %w", err)
	}
	if fields.Told != nil {
		return LogEntry{Cursor: *fields.Told, PastEnds: true}, nil
	}
	micros, err := strconv.ParseInt(fields.Time, 10, 64)
	if err != nil {
		return LogEntry{}, fmt.Errorf("read journal: an entry has no time: %q", line)
	}
	return LogEntry{Time: time.UnixMicro(micros), From: fieldText(fields.From), Text: fieldText(fields.Message), Cursor: fields.Cursor}, nil
}

// fieldText is the text of a field, which is a string or, where it is not
// printable, an array of its bytes: systemd.journal-fields(7),
// journalctl --output=json. A field that stands there twice is an array too;
// the first one counts.
func fieldText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var numbers []byteNumber
	if json.Unmarshal(raw, &numbers) == nil {
		b := make([]byte, len(numbers))
		for i, n := range numbers {
			b[i] = byte(n)
		}
		return string(b)
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil && len(several) > 0 {
		return fieldText(several[0])
	}
	return ""
}

// A byteNumber is a byte that JSON writes as a number: it has none for a slice
// of bytes.
type byteNumber uint8
