package modules

import (
	"fmt"
	"strings"
)

// A Journal is a journal namespace of systemd with its retention, see
// systemd-journald.service(8). Its journald is restarted when the
// configuration changes, even if the run that changed it died in between.
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

// due is where a restart that has to follow is noted. Like the process that it
// is about, it does not survive a reboot.
func (j Journal) due() string { return "/run/xmrfleet/journald@" + j.Namespace + ".due" }

const journalProbe = `[ ! -e "$3" ] || echo due` + fileProbe

func (j Journal) Probe() Command {
	c := j.file().Probe()
	return Command{Script: journalProbe, Args: append(c.Args, j.due())}
}

const stopJournal = `
systemctl stop "systemd-journald-varlink@$2.socket" "systemd-journald@$2.socket" "systemd-journald@$2.service" 2>/dev/null
rm -f "$1"`

func (j Journal) Diff(probed string, facts Facts) (Change, error) {
	probed, due := strings.CutPrefix(probed, "due\n")
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
	if due && c.Empty() {
		c.Action, c.Reason = Restart, "the running journald has the old settings"
	}
	if !c.Empty() {
		note := Command{Script: `mkdir -p "${1%/*}" && : >"$1"`, Args: []string{j.due()}}
		restart := Command{Script: `systemctl try-restart "$1" && rm -f "$2"`, Args: []string{j.unit(), j.due()}}
		c.Steps = append(append([]Command{note}, c.Steps...), restart)
	}
	return c, nil
}
