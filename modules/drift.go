package modules

import (
	"net"
	"slices"
	"strings"

	"xmrfleet/modules/agent"
)

// A Drift is what on a host is not as described, though the miner may run.
type Drift struct {
	// Astray says that the miner works for somebody else than described, or
	// will after its next start: at another pool, or for another account.
	Astray string

	// Differs names what else differs, each as a sentence without a stop:
	// "config.json differs from fleet.hcl".
	Differs []string

	// Planned is set where a plan shows what differs.
	Planned bool
}

// Any reports whether anything differs.
func (d Drift) Any() bool { return d.Astray != "" || len(d.Differs) > 0 }

// DriftFrom compares the host with its description: the files that a plan compares
// by content, what the processes that run were started with, for whom the miner
// works, and what the agent says that it cannot do. What the status does not
// tell is no drift.
func (s Status) DriftFrom(d Description) Drift {
	switch {
	case d.State == StateAbsent:
		left := s.leftovers(d)
		return Drift{Differs: left, Planned: left != nil}
	case !s.Installed:
		return Drift{}
	}
	drift := Drift{Astray: s.astray(d)}
	drift.Differs = append(drift.Differs, d.miner.differences(s.Miner, s.up(), d.State == StateRunning)...)
	drift.Differs = append(drift.Differs, d.agent.differences(s.Watcher, s.AgentActive, true)...)
	drift.Planned = drift.Differs != nil
	for _, fault := range s.Faults() {
		drift.Differs = append(drift.Differs, "the agent is not able to do all its work: "+fault)
	}
	return drift
}

// leftovers are what is still there of a miner that is to be gone. The
// executable may be one that was on the host before, and stays.
func (s Status) leftovers(d Description) []string {
	var all []string
	for _, path := range []string{d.miner.config, unitDir + d.miner.unit, d.agent.config, d.agent.binary, unitDir + d.agent.unit} {
		if s.Miner.has(path) || s.Watcher.has(path) {
			all = append(all, path+" is still there")
		}
	}
	if s.Miner.DropIns || s.Watcher.DropIns {
		all = append(all, "there are still drop-ins")
	}
	if s.AgentActive {
		all = append(all, "the agent still runs")
	}
	return all
}

// Faults are what the agent that runs says that it cannot do.
func (s Status) Faults() []string {
	if d := s.Daemon(); d != nil {
		return d.Faults
	}
	return nil
}

// astray compares for whom the miner works: by its API the process that runs,
// and by its file what that or the next one was told.
func (s Status) astray(d Description) string {
	if s.Agent == nil {
		return ""
	}
	if pool := s.Agent.Pool; s.Mining() && pool != "" && !d.names(pool) {
		return "it mines at " + pool + ", which fleet.hcl does not name"
	}
	config := s.Agent.Config
	if config == nil || slices.Equal(config.Payees, d.payees) {
		return ""
	}
	if s.up() && s.Miner.recorded() && s.Miner.Record.Config == config.SHA256 {
		return "it mines for another pool or account than fleet.hcl names"
	}
	return "its config.json names another pool or account than fleet.hcl"
}

// names reports whether a pool, as the miner's API calls it, is described:
// XMRig source, NetworkState.cpp, host and port.
func (d Description) names(pool string) bool {
	return slices.ContainsFunc(d.pools, func(p Pool) bool {
		address := p.URL
		if _, rest, ok := strings.Cut(address, "://"); ok {
			address = rest
		}
		address, _, _ = strings.Cut(address, "/")
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), defaultPoolPort)
		}
		return strings.EqualFold(bare(address), bare(pool))
	})
}

// defaultPoolPort is XMRig's own: XMRig source, Pool.h.
const defaultPoolPort = "3333"

// bare is an address without the brackets of IPv6, which the API leaves out.
func bare(address string) string { return strings.NewReplacer("[", "", "]", "").Replace(address) }

// differences lists what of the unit is not as described. What differs in a
// file is not said again of the process.
func (d described) differences(e UnitEvidence, up, enabled bool) []string {
	var files, old []string
	for _, a := range d.artifacts(e) {
		switch {
		case a.want != nil && a.file != "" && !slices.Contains(a.want, a.file):
			files = append(files, a.name)
		case a.want != nil && !slices.Contains(a.want, a.process), a.want == nil && a.file != "" && a.file != a.process:
			old = append(old, a.noun)
		}
	}
	var all []string
	switch last := len(files) - 1; {
	case last == 0:
		all = append(all, files[0]+" differs from fleet.hcl")
	case last > 0:
		all = append(all, strings.Join(files[:last], ", ")+" and "+files[last]+" differ from fleet.hcl")
	}
	if e.DropIns {
		all = append(all, d.unit+" has drop-ins")
	}
	if e.Reload {
		all = append(all, d.unit+" is not loaded as it is")
	}
	switch atBoot := e.File == "enabled"; {
	case e.File == "" || atBoot == enabled:
	case atBoot:
		all = append(all, d.unit+" starts at boot")
	default:
		all = append(all, d.unit+" does not start at boot")
	}
	switch {
	case !up:
	case !e.recorded():
		all = append(all, "it is not known what the running "+d.noun+" was started with")
	case old != nil:
		all = append(all, "the running "+d.noun+" has the old "+strings.Join(old, " and "))
	case e.Record.Silent == e.Invocation:
		all = append(all, "the API of the "+d.noun+" did not answer after its last start")
	}
	return all
}

// An artifact is one of the things that a unit is started with.
type artifact struct {
	noun, name    string   // "config", "config.json"
	want          []string // its possible checksums; nil: any
	file, process string   // its checksum now, "" if not known, and as of the start
}

// A Description is what a host's status is held against: [Miner.Description].
type Description struct {
	State string // StateRunning, StateStopped or StateAbsent

	pools        []Pool
	payees       []string // of the pools, as agent.Payee has them
	miner, agent described
}

// A described is one of our units as it should be. Of the checksums, nil is any.
type described struct {
	noun string // "miner"
	unit string // its name

	config, binary           string // their paths
	unitSum, configSum, sums []string
	recorded                 []string // what recording returns
}

func (d described) artifacts(e UnitEvidence) []artifact {
	base := func(path string) string { return path[strings.LastIndex(path, "/")+1:] }
	return []artifact{
		{"config", base(d.config), d.configSum, e.sum(d.config, e.Record.Config), e.Record.Config},
		{"binary", "the binary " + base(d.binary), d.sums, e.sum(d.binary, e.Record.Binary), e.Record.Binary},
		d.unitArtifact(e),
	}
}

// unitArtifact is the unit's file, and the text that the process was started
// with, which systemd may have loaded before the file changed.
func (d described) unitArtifact(e UnitEvidence) artifact {
	return artifact{noun: "unit", name: d.unit, want: slices.Concat(d.unitSum, d.recorded),
		file: e.sum(unitDir+d.unit, e.Record.UnitFile), process: e.Record.Unit}
}

// Description is what m says of a host, as far as a status can see it. An
// executable of which the checksum is not known is not compared.
func (m Miner) Description() Description {
	d := Description{State: m.XMRig.State, pools: m.Pools}
	for _, p := range m.Pools {
		d.payees = append(d.payees, agent.Payee(p.URL, or(p.User, m.Wallet).Reveal()))
	}
	config, _ := m.configFile()
	unit, recorded := m.minerUnit()
	d.miner = describe("miner", unit, recorded, minerConfig, config, minerBinary)
	if sum := m.XMRig.BinarySHA256; sum != "" {
		d.miner.sums = []string{sum}
	}
	unit, recorded = m.agentUnit()
	d.agent = describe("agent", unit, recorded, agent.SettingsFile, m.agentSettings().Content, agent.Binary)
	for _, build := range m.Agent.Binaries {
		d.agent.sums = append(d.agent.sums, build.SHA256)
	}
	return d
}

func describe(noun string, unit Unit, recorded, config string, content []byte, binary string) described {
	return described{noun: noun, unit: unit.Name, config: config, binary: binary,
		unitSum: []string{sum256([]byte(unit.Text))}, recorded: []string{recorded}, configSum: []string{sum256(content)}}
}
