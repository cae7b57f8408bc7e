package modules

import (
	"fmt"
	"strings"
)

// A Journal is a journal namespace of systemd with its retention, see
// systemd-journald.service(8). It is restarted when its configuration is newer
// than its process, whoever wrote it.
type Journal struct {
	Namespace string
	Text      string // of journald@NAMESPACE.conf

	// Absent removes the configuration and stops the namespace's journald.
	// What it has logged stays.
	Absent bool
}

func (j Journal) file() File {
	return File{Path: "/etc/systemd/journald@" + j.Namespace + ".conf", Owner: "root", Group: "root",
		Mode: "0644", Content: []byte(j.Text), Show: Text}
}

func (j Journal) unit() string { return "systemd-journald@" + j.Namespace + ".service" }

func (j Journal) ID() string { return "journal " + j.Namespace }

func (j Journal) Validate() error { return j.file().Validate() }

const journalProbe = `
systemctl is-active --quiet "$3" 2>/dev/null && [ -e "$1" ] && {
	started=$(systemctl show -p ExecMainStartTimestamp --value "$3")
	[ "$(date -d "$started" +%s)" -ge "$(stat -c %Y "$1")" ] || echo outdated
}
` + fileProbe

func (j Journal) Probe() Command {
	c := j.file().Probe()
	return Command{Script: journalProbe, Args: append(c.Args, j.unit())}
}

const stopJournal = `
systemctl stop "systemd-journald-varlink@$2.socket" "systemd-journald@$2.socket" "systemd-journald@$2.service" 2>/dev/null
rm -f "$1"`

func (j Journal) Diff(probed string, facts Facts) (Change, error) {
	probed, outdated := strings.CutPrefix(probed, "outdated\n")
	if j.Absent {
		if probed == "absent\n" {
			return Change{}, nil
		}
		return Change{Action: Delete, Fields: []Field{{Name: "configuration", Old: j.file().Path}},
			Steps: []Command{{Script: stopJournal, Args: []string{j.file().Path, j.Namespace}}}}, nil
	}
	c, err := j.file().Diff(probed, facts)
	if err != nil {
		return c, fmt.Errorf("%s: %w", j.ID(), err)
	}
	if outdated && c.Empty() {
		c.Action, c.Reason = Restart, "the running journald has the old settings"
	}
	if !c.Empty() {
		c.Steps = append(c.Steps, Command{Script: `systemctl try-restart "$1"`, Args: []string{j.unit()}})
	}
	return c, nil
}
