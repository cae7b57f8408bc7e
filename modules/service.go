package modules

import (
	"cmp"
	"fmt"
	"strings"
)

// A Service is a systemd unit that should be running, stopped, or gone.
//
// A restart that is due is a state of the host, not an event of a run: at each
// start the unit records what it is started with, and Diff compares that
// record with what should be running. A run that died between a file and the
// restart is therefore healed by the next one.
type Service struct {
	Unit    string // "xmrig.service"
	Enabled bool
	Running bool

	// Record gives what the running process should have been started with.
	// It is called only where Running is set.
	Record func(Facts) (Record, error)

	// Check is a command, words separated by blanks, that exits 0 once the
	// API of the started service answers. Empty: being active is enough.
	Check string

	// Journal is the unit's journal namespace, if it has one.
	Journal string
}

func (s Service) ID() string { return "service " + strings.TrimSuffix(s.Unit, ".service") }

func (s Service) Validate() error {
	if !strings.HasSuffix(s.Unit, ".service") {
		return fmt.Errorf("unit %q: want a name that ends in .service", s.Unit)
	}
	if s.Running && s.Record == nil {
		return fmt.Errorf("unit %s: a running service needs a record", s.Unit)
	}
	return nil
}

const serviceProbe = `
systemctl show -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,InvocationID,DropInPaths "$1" 2>/dev/null
[ ! -L "$3" ] || echo WantsLink=yes
printf 'Record=\n'
` + readRecord + `
:`

// wantsLink is what starts a unit at boot.
func wantsLink(unit string) string { return unitDir + "multi-user.target.wants/" + unit }

func (s Service) Probe() Command {
	return Command{Script: serviceProbe, Args: []string{s.Unit, recordPath(s.Unit), wantsLink(s.Unit)}}
}

// unitState is what serviceProbe printed.
type unitState struct {
	load, active, sub, file, result string
	reload                          bool
	wants                           bool // there is a wantsLink
	invocation                      string
	dropIns                         []string // in the order in which systemd reads them
	record                          Record
}

func parseUnitState(probed string) unitState {
	shown, record, _ := strings.Cut(probed, "Record=\n")
	p := properties(shown)
	return unitState{
		load: p["LoadState"], active: p["ActiveState"], sub: p["SubState"], file: p["UnitFileState"], result: p["Result"],
		reload:     p["NeedDaemonReload"] == "yes",
		wants:      p["WantsLink"] == "yes",
		invocation: p["InvocationID"],
		dropIns:    strings.Fields(p["DropInPaths"]),
		record:     parseRecord(record),
	}
}

// up reports whether a process runs, or is on its way.
func (u unitState) up() bool {
	return u.active == "active" || u.active == "activating" || u.active == "reloading"
}

// failing is a unit that systemd starts again and again.
func (u unitState) failing() bool { return u.active == "activating" && u.sub == "auto-restart" }

// strangers says which drop-ins change the unit and are neither ours to remove
// nor the distribution's.
func (u unitState) strangers(unit string) []string {
	var warnings []string
	for _, path := range u.dropIns {
		if !strings.HasPrefix(path, dropIns(unit)+"/") && !strings.HasPrefix(path, "/usr/lib/") && !strings.HasPrefix(path, "/lib/") {
			warnings = append(warnings, path+" changes the unit, and is not managed")
		}
	}
	return warnings
}

func (s Service) Diff(probed string, facts Facts) (Change, error) {
	u := parseUnitState(probed)
	var c Change
	if s.Enabled != (u.file == "enabled") && (s.Enabled || u.load == "loaded") {
		want := "disabled"
		if s.Enabled {
			want = "enabled"
		}
		c.Action = Update
		c.Fields = append(c.Fields, Field{"start at boot", cmp.Or(u.file, "disabled"), want})
		c.Steps = append(c.Steps, Command{Script: setEnabled, Args: []string{s.Unit, want}})
	}
	if !s.Enabled && u.file != "enabled" && u.wants {
		c.Action = Update
		c.Fields = append(c.Fields, Field{"start at boot", "link without a unit", "disabled"})
		c.Steps = append(c.Steps, Command{Script: dropLink, Args: []string{wantsLink(s.Unit)}})
	}
	if u.reload {
		c.Action = Update
		c.Fields = append(c.Fields, Field{"loaded unit", "older than its file", "as its file"})
		c.Steps = append(c.Steps, daemonReload)
	}
	c.Warnings = u.strangers(s.Unit)
	if !s.Running {
		if u.up() || u.active == "deactivating" {
			c.Action, c.Disruptive = Stop, true
			c.Steps = append(c.Steps, Command{Script: `systemctl stop "$1"`, Args: []string{s.Unit}})
		}
		return c, nil
	}

	want, err := s.Record(facts)
	if err != nil {
		return Change{}, fmt.Errorf("%s: %w", s.ID(), err)
	}
	switch stale := want.staleness(u.record, u.invocation); {
	case !u.up():
		c.Action = Start
		if u.active == "failed" {
			c.Reason = "it failed: " + u.result
		}
	case stale != "":
		c.Action, c.Reason = Restart, stale
	case u.failing():
		c.Action, c.Reason = Restart, "it ends soon after each start: "+u.result
	default:
		return c, nil
	}
	c.Disruptive = true
	c.Steps = append(c.Steps, Command{
		Script: startUnit,
		Args:   []string{s.Unit, string(c.Action), s.Check, s.Journal, recordPath(s.Unit)},
	})
	return c, nil
}

// setEnabled leaves alone that there may be no unit left to disable.
const setEnabled = `
case $2 in
enabled) systemctl --quiet enable "$1" ;;
*) systemctl --quiet disable "$1" ;;
esac`

// dropLink makes systemd forget a unit of which only the link $1 is left.
const dropLink = `
set -e
rm -f "$1"
systemctl daemon-reload`

// startUnit starts or restarts $1 and waits until the check $3 passes. It
// checks again for 20 seconds, however long a check takes; that none passed is
// kept beside the record $5. Without an agent that could check, it is content
// with a unit that stays up for a second. A unit that fails shows its journal.
const startUnit = `
unit=$1 verb=$2 check=$3 namespace=$4 record=$5
property() { systemctl show -p "$1" --value "$unit"; }
fail() {
	{
		echo "$1; the last lines of its journal:"
		journalctl ${namespace:+"--namespace=$namespace"} --sync 2>/dev/null
		journalctl ${namespace:+"--namespace=+$namespace"} -u "$unit" -n 15 --no-pager -o short | sed 's/^/    /'
	} >&2
	exit 1
}
agent=${check%% *}
` + isAgent + ` || check=
systemctl reset-failed "$unit" 2>/dev/null
systemctl "$verb" "$unit" || fail "$verb $unit: failed"
started=$(property InvocationID)
uptime() { IFS=. read -r now _ </proc/uptime; }
uptime
deadline=$((now + 20)) tries=0
while :; do
	[ "$(property ActiveState)" = active ] && [ "$(property InvocationID)" = "$started" ] ||
		fail "$verb $unit: the process ended: $(property Result)"
	if [ -z "$check" ]; then
		[ "$tries" -lt 4 ] || exit 0
	else
		answer=$($check 2>&1 >/dev/null) && exit 0
		uptime
		[ "$now" -lt "$deadline" ] || {
			echo "$started" >"$record.silent"
			fail "$verb $unit: it runs, but its API does not answer: ${answer#*: }"
		}
	fi
	tries=$((tries + 1))
	sleep 0.25
done`
