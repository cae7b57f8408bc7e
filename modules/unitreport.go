package modules

import (
	"strconv"
	"strings"
)

// A UnitReport is what systemd and the journal tell of a unit.
type UnitReport struct {
	Name       string   `json:"name"`
	Active     string   `json:"active_state"`
	Sub        string   `json:"sub_state"`
	Result     string   `json:"result"`
	ExitStatus int      `json:"exit_status"` // of the last process that ended
	Restarts   int      `json:"restarts"`    // by systemd
	Since      string   `json:"since,omitempty"`
	Journal    []string `json:"journal"` // its last lines
}

// unitReportProbe separates the two by an empty line.
const unitReportProbe = `
systemctl show -p ActiveState -p SubState -p Result -p ExecMainStatus -p NRestarts -p StateChangeTimestamp "$1"
echo
journalctl --quiet --no-pager --namespace=+xmrig --unit="$1" --lines=10 --output=short-iso
:`

// UnitReportProbe reads a UnitReport of one of our units. ParseUnitReport
// understands its output.
func UnitReportProbe(unit string) Command {
	return Command{Script: unitReportProbe, Args: []string{unit}}
}

// ParseUnitReport reads what UnitReportProbe printed of a unit.
func ParseUnitReport(unit, probed string) UnitReport {
	shown, journal, _ := strings.Cut(probed, "\n\n")
	p := properties(shown)
	u := UnitReport{Name: unit, Active: p["ActiveState"], Sub: p["SubState"], Result: p["Result"], Since: p["StateChangeTimestamp"]}
	u.ExitStatus, _ = strconv.Atoi(p["ExecMainStatus"])
	u.Restarts, _ = strconv.Atoi(p["NRestarts"])
	for line := range strings.Lines(journal) {
		u.Journal = append(u.Journal, strings.TrimSuffix(line, "\n"))
	}
	return u
}
