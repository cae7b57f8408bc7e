package modules

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Unit is a unit file of systemd in /etc/systemd/system.
type Unit struct {
	Name string // "xmrig.service"
	Text string
}

// unitDir is where an administrator's units are: systemd.unit(5).
const unitDir = "/etc/systemd/system/"

// dropIns is where an administrator's additions to a unit are. The runtime and
// "systemctl set-property" have places of their own.
func dropIns(unit string) string { return unitDir + unit + ".d" }

// noDropIns removes them, because a described unit is described completely.
func noDropIns(unit string) Absent { return Absent{Kind: "drop-ins", Path: dropIns(unit), Unit: true} }

func (u Unit) file() File {
	return File{Path: unitDir + u.Name, Owner: "root", Group: "root", Mode: "0644",
		Content: []byte(u.Text), Show: maskUnit}
}

func (u Unit) ID() string { return "unit " + u.Name }

func (u Unit) Validate() error { return u.file().Validate() }

func (u Unit) Probe() Command { return u.file().Probe() }

func (u Unit) Diff(probed string, facts Facts) (Change, error) {
	c, err := u.file().Diff(probed, facts)
	if !c.Empty() {
		c.Steps = append(c.Steps, daemonReload)
	}
	return c, err
}

var daemonReload = Command{Script: `systemctl daemon-reload`}

// revision is a short name for a text, to be written into what is started
// with it.
func revision(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
