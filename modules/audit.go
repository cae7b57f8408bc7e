package modules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// auditTag is the tag of our entries in the hosts' journals.
const auditTag = "xmrfleet"

const auditScript = `printf '%s\n' "$1" | systemd-cat -t xmrfleet -p notice`

// Audit writes an entry to the host's journal, under the tag xmrfleet: who has
// what done there. It fails where the journal cannot be written; whether
// anything is done then is up to the caller.
func Audit(entry string) Command {
	return Command{Script: auditScript, Args: []string{oneEntry.Replace(entry)}}
}

// auditedScript runs the script $3 with the arguments behind it. Before that it
// writes the entry $1, and after it the same and how it went, $2 if it went well.
// A miner can be stopped also where the journal cannot be written.
const auditedScript = `
entry=$1 well=$2 script=$3
shift 3
tell() { printf '%s\n' "$1" | systemd-cat -t xmrfleet -p notice; } 2>/dev/null
tell "$entry"
trap 'tell "$entry: ended before it was done"; exit 143' TERM
(
	trap - TERM
	eval "$script"
)
status=$?
[ "$status" != 0 ] || tell "$entry: $well"
[ "$status" = 0 ] || tell "$entry: failed, exit status $status"
exit "$status"`

// Audited is a command with two entries in the host's journal: what entry says
// before it, and after it the same with how it went, in the word well if its exit
// status is 0. The result is that of the command, which reads no standard input.
func Audited(entry, well string, c Command) Command {
	return Command{Script: auditedScript, Args: append([]string{oneEntry.Replace(entry), well, c.Script}, c.Args...)}
}

// oneEntry keeps what a person typed from being several entries.
var oneEntry = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// mostAudited is how many entries a host is asked for: the last ones.
const mostAudited = 1000

// AuditTrail asks for the entries of the last while, by the host's clock.
// ParseAuditTrail understands its result. Only root's entries count: anybody can
// write to the journal.
func AuditTrail(since time.Duration) Command {
	flags := slices.DeleteFunc(slices.Clone(journalFlags), func(flag string) bool { return strings.HasPrefix(flag, "--namespace") })
	return Command{Script: lastScript, Args: append(flags, "--identifier="+auditTag, "_UID=0",
		"--lines="+strconv.Itoa(mostAudited), "--since="+sinceTime(since.String()))}
}

// ParseAuditTrail reads the result of AuditTrail, the newest entry last.
func ParseAuditTrail(r Result) ([]LogEntry, error) {
	if r.Status != 0 {
		return nil, fmt.Errorf("read journal: %s", firstLine(strings.TrimSpace(r.Stderr)))
	}
	var entries []LogEntry
	var errs []error
	for line := range strings.Lines(r.Stdout) {
		e, err := ParseLogEntry([]byte(line))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}
