package modules

import (
	"fmt"
	"path"

	"xmrfleet/modules/agent"
)

// A Part is what can be applied alone.
type Part string

const (
	XMRigPart Part = "xmrig"
	AgentPart Part = "agent"
)

// Resources lists what makes the host what the description says, in the order
// in which it has to happen: accounts and files first, services last. With
// parts, only what belongs to one of them.
func (m Miner) Resources(parts ...Part) []Resource {
	wanted := func(p Part) bool {
		for _, part := range parts {
			if part == p {
				return true
			}
		}
		return len(parts) == 0
	}
	var files, services []Resource
	add := func(f, s []Resource) {
		files = append(files, f...)
		services = append(services, s...)
	}
	switch {
	case m.XMRig.State != StateAbsent:
		files = []Resource{
			Directory{Path: configDir, Owner: "root", Group: "root", Mode: "0755"},
			Journal{Namespace: logName, Text: journalText},
		}
		if wanted(XMRigPart) {
			add(m.miner(wanted(AgentPart)))
		}
		if wanted(AgentPart) {
			add(m.agent())
		}
		return append(files, services...)
	default:
		if wanted(XMRigPart) {
			add(m.noMiner())
		}
		if wanted(AgentPart) {
			add(m.noAgent())
		}
		if len(parts) == 0 {
			files = append(files, Journal{Namespace: logName, Absent: true})
		}
		return append(services, files...)
	}
}

// miner lists the miner itself. The agent can check its API where it gets its
// settings in the same apply.
func (m Miner) miner(withAgent bool) (files, services []Resource) {
	config, secrets := m.configFile()
	binary := m.binary()
	unit, rev := m.minerUnit()
	running := m.XMRig.State == StateRunning
	check := ""
	if withAgent {
		check = agent.Binary + " check"
	}
	return []Resource{
			User{Name: minerUser},
			Absent{Path: "/etc/logrotate.d/xmrig"},
			binary,
			File{Path: minerConfig, Owner: "root", Group: minerUser, Mode: "0640",
				Content: config, Show: maskJSON(secrets, m.plainAccounts()...)},
			minerDropIns{noDropIns(unit.Name)},
			minerUnit{unit},
		}, []Resource{Service{
			Unit: unit.Name, Enabled: running, Running: running,
			Check: check, Journal: logName,
			Record: func(f Facts) (Record, error) {
				sum, err := binary.Wanted(f)
				return Record{Unit: rev, Config: sum256(config), Binary: sum}, err
			},
		}}
}

func (m Miner) binary() Binary {
	x := m.XMRig
	return Binary{Name: "xmrig", Link: minerBinary, Store: minerStore, Install: x.Install,
		SHA256: x.BinarySHA256, Version: x.Version, Arch: x.Arch, Content: x.Binary, URL: x.Source, ArchiveSHA256: x.SHA256}
}

func (m Miner) agent() (files, services []Resource) {
	program := Executable{Path: agent.Binary, Builds: m.Agent.Binaries, Version: agent.Version, AllowOlder: m.Agent.AllowOlder}
	settings := m.agentSettings()
	unit, rev := m.agentUnit()
	return []Resource{
			program,
			settings,
			noDropIns(unit.Name),
			agentUnit{Unit: unit, database: m.database()},
		}, []Resource{Service{
			Unit: unit.Name, Enabled: true, Running: true, Journal: logName,
			Record: func(f Facts) (Record, error) {
				build, err := program.build(f)
				if err != nil {
					return Record{}, err
				}
				return Record{Unit: rev, Config: sum256(settings.Content), Binary: build.SHA256}, nil
			},
		}}
}

func (m Miner) database() string {
	if m.Agent.Database != "" {
		return m.Agent.Database
	}
	return agent.Database
}

func (m Miner) agentSettings() agentSettings {
	content := canonical(agent.Settings{
		Hostname:      m.Agent.Hostname,
		WorkerID:      m.Worker,
		Database:      m.database(),
		Interval:      agent.Duration(m.Agent.Interval),
		API:           agent.API{Address: m.apiAddress(), Token: m.XMRig.AccessToken.Reveal()},
		RestartPolicy: m.Agent.RestartPolicy,
		Thresholds:    m.Agent.Thresholds,
		Desired:       m.XMRig.State,
	})
	return agentSettings{
		File: File{Path: agent.SettingsFile, Owner: "root", Group: "root", Mode: "0600",
			Content: content, Show: maskJSON(nil)},
		hostname: m.Agent.Hostname,
	}
}

// agentSettings warns where the agent would write another host name into the
// tables than Rails does.
type agentSettings struct {
	File
	hostname string
}

func (s agentSettings) Diff(probed string, facts Facts) (Change, error) {
	c, err := s.File.Diff(probed, facts)
	if s.hostname != "" && s.hostname != facts.Hostname {
		c.Warnings = append(c.Warnings, fmt.Sprintf("agent.hostname is %q, the host calls itself %q", s.hostname, facts.Hostname))
	}
	return c, err
}

// agentUnit refuses to take the database away from an older daemon.
type agentUnit struct {
	Unit
	database string
}

func (u agentUnit) Diff(probed string, facts Facts) (Change, error) {
	if old := facts.AgentDatabase; old != "" && old != u.database {
		return Change{}, fmt.Errorf("%s: the installed daemon works on the database %s, which fleet.hcl does not name; add to this host: agent { database = %q }", u.ID(), old, old)
	}
	return u.Unit.Diff(probed, facts)
}

func (m Miner) noMiner() (files, services []Resource) {
	binary := m.binary()
	binary.Absent = true
	return []Resource{
			noDropIns(agent.MinerUnit),
			Absent{Kind: "unit", Path: path.Join(unitDir, agent.MinerUnit), Unit: true},
			Absent{Path: minerConfig, EmptyParent: true},
			binary,
			User{Name: minerUser, Absent: true},
		}, []Resource{
			Service{Unit: agent.MinerUnit},
		}
}

func (m Miner) noAgent() (files, services []Resource) {
	return []Resource{
			noDropIns(agent.Unit),
			Absent{Kind: "unit", Path: path.Join(unitDir, agent.Unit), Unit: true},
			Absent{Path: agent.SettingsFile, EmptyParent: true},
			Absent{Kind: "executable", Path: agent.Binary},
			Absent{Kind: "directory", Path: agent.StateDir},
		}, []Resource{
			Service{Unit: agent.Unit},
		}
}
