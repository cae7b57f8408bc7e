package modules

import (
	"slices"
	"strings"
	"testing"

	"xmrfleet/modules/agent"
)

// seen is a status in which nothing differs from typical.
func seen() Status {
	m := typical()
	d := m.Description()
	record := func(d described) Record {
		return Record{Unit: d.recorded[0], UnitFile: d.unitSum[0], Config: d.configSum[0], Binary: d.sums[0], Invocation: "1d"}
	}
	return Status{
		Installed: true, Active: "active", PID: 7, AgentActive: true,
		Miner:   UnitEvidence{Invocation: "1d", File: "enabled", Record: record(d.miner)},
		Watcher: UnitEvidence{Invocation: "1d", File: "enabled", Record: record(d.agent)},
		Agent: &agent.Status{PID: 7, Pool: "pool.hashvault.pro:443", LastHealthCheckAt: new(Status{}.Now),
			Config: &agent.Config{SHA256: d.miner.configSum[0], Payees: slices.Clone(d.payees)},
			Daemon: &agent.Daemon{InvocationID: "1d", Miner: "1d"}},
	}
}

func TestDrift(t *testing.T) {
	sums := func(e *UnitEvidence, d described) {
		e.Sums = map[string]string{d.config: e.Record.Config, d.binary: e.Record.Binary, unitDir + d.unit: d.unitSum[0]}
	}
	d := typical().Description()
	for _, test := range []struct {
		name   string
		change func(*Status)
		astray string
		want   []string
	}{
		{"as described", func(*Status) {}, "", nil},
		{"as described, hashed", func(s *Status) { sums(&s.Miner, d.miner); sums(&s.Watcher, d.agent) }, "", nil},
		{"another config", func(s *Status) { sums(&s.Miner, d.miner); s.Miner.Sums[minerConfig] = "x" }, "",
			[]string{"config.json differs from fleet.hcl"}},
		{"config and unit", func(s *Status) {
			sums(&s.Miner, d.miner)
			s.Miner.Sums[minerConfig], s.Miner.Sums[unitDir+agent.MinerUnit] = "x", "x"
		}, "", []string{"config.json and xmrig.service differ from fleet.hcl"}},
		{"all gone", func(s *Status) { s.Miner.Sums = map[string]string{} }, "",
			[]string{"config.json, the binary xmrig and xmrig.service differ from fleet.hcl"}},
		{"old config in use", func(s *Status) {
			s.Miner.Record.Config = "x"
			sums(&s.Miner, d.miner)
			s.Miner.Sums[minerConfig] = d.miner.configSum[0]
		}, "", []string{"the running miner has the old config"}},
		{"old file and process", func(s *Status) { s.Miner.Record.Config = "x" }, "",
			[]string{"config.json differs from fleet.hcl"}},
		{"record of another start", func(s *Status) { s.Miner.Invocation = "2e" }, "",
			[]string{"it is not known what the running miner was started with"}},
		{"stopped, record of another start", func(s *Status) { s.Miner.Invocation, s.Active = "2e", "inactive" }, "", nil},
		{"no record", func(s *Status) { sums(&s.Miner, d.miner); s.Miner.Record = Record{} }, "",
			[]string{"it is not known what the running miner was started with"}},
		{"another agent", func(s *Status) { s.Watcher.Record.Binary = "x" }, "",
			[]string{"the binary xmrig-orchestrator differs from fleet.hcl"}},
		{"drop-ins, not loaded, not enabled", func(s *Status) { s.Miner.DropIns, s.Miner.Reload, s.Miner.File = true, true, "disabled" }, "",
			[]string{"xmrig.service has drop-ins", "xmrig.service is not loaded as it is", "xmrig.service does not start at boot"}},
		{"old unit in use", func(s *Status) { s.Miner.Record.Unit = "old " + d.miner.unitSum[0] }, "", []string{"the running miner has the old unit"}},
		{"unit edited before the start", func(s *Status) { s.Miner.Record.Unit, s.Miner.Record.UnitFile = "rev x", "x" }, "", []string{"xmrig.service differs from fleet.hcl"}},
		{"drop-ins were in use", func(s *Status) { s.Miner.Record.Unit = "rev x" }, "", []string{"the running miner has the old unit"}},
		{"no answer", func(s *Status) { s.Miner.Record.Silent = "1d" }, "", []string{"the API of the miner did not answer after its last start"}},
		{"a fault", func(s *Status) { s.Agent.Daemon.Faults = []string{"no table"} }, "",
			[]string{"the agent is not able to do all its work: no table"}},
		{"a fault of another agent", func(s *Status) { s.Agent.Daemon.Faults, s.Agent.Daemon.InvocationID = []string{"no table"}, "x" }, "", nil},
		{"second pool", func(s *Status) { s.Agent.Pool = "gulf.moneroocean.stream:10128" }, "", nil},
		{"another pool", func(s *Status) { s.Agent.Pool = "evil.example:3333" },
			"it mines at evil.example:3333, which fleet.hcl does not name", nil},
		{"another account in the file", func(s *Status) { s.Agent.Config = &agent.Config{SHA256: "x", Payees: []string{"y"}} },
			"its config.json names another pool or account than fleet.hcl", nil},
		{"another account in use", func(s *Status) {
			s.Agent.Config = &agent.Config{SHA256: "x", Payees: []string{"y"}}
			s.Miner.Record.Config = "x"
		}, "it mines for another pool or account than fleet.hcl names", []string{"config.json differs from fleet.hcl"}},
		{"not installed", func(s *Status) { s.Installed = false; s.Agent.Pool = "evil.example:3333" }, "", nil},
	} {
		s := seen()
		test.change(&s)
		got := s.DriftFrom(d)
		if got.Astray != test.astray || strings.Join(got.Differs, "|") != strings.Join(test.want, "|") {
			t.Errorf("%s:\n got %q %q\nwant %q %q", test.name, got.Astray, got.Differs, test.astray, test.want)
		}
	}

	absent := typical()
	absent.XMRig.State = StateAbsent
	gone := Status{Miner: UnitEvidence{Sums: map[string]string{minerBinary: "adopted"}}}
	if got := gone.DriftFrom(absent.Description()); got.Any() {
		t.Errorf("drift of a miner that is gone: %+v", got)
	}
	gone.Miner.Sums[minerConfig], gone.AgentActive = "x", true
	want := []string{minerConfig + " is still there", "the agent still runs"}
	if got := gone.DriftFrom(absent.Description()); !slices.Equal(got.Differs, want) {
		t.Errorf("half gone: %q", got.Differs)
	}
	stopped := typical()
	stopped.XMRig.State = StateStopped
	s := seen()
	s.Active = "inactive"
	if got := s.DriftFrom(stopped.Description()); !slices.Equal(got.Differs, []string{"xmrig.service starts at boot", "orchestrator.json differs from fleet.hcl"}) {
		t.Errorf("stopped: %q", got.Differs)
	}
	existing := typical()
	existing.XMRig.BinarySHA256 = ""
	s = seen()
	if s.DriftFrom(existing.Description()).Any() {
		t.Error("drift of an executable that may be any")
	}
	sums(&s.Miner, d.miner)
	s.Miner.Sums[minerBinary] = "newer"
	if got := s.DriftFrom(existing.Description()); !slices.Equal(got.Differs, []string{"the running miner has the old binary"}) {
		t.Errorf("an executable that was replaced: %q", got.Differs)
	}
}

func TestPoolNames(t *testing.T) {
	for url, said := range map[string]string{
		"pool.example:443":               "pool.example:443",
		"Pool.Example:443":               "pool.example:443",
		"stratum+ssl://pool.example:443": "pool.example:443",
		"pool.example":                   "pool.example:3333",
		"daemon+http://[::1]:18081":      "::1:18081",
		"[::1]:18081/":                   "[::1]:18081",
	} {
		if d := (Description{pools: []Pool{{URL: url}}}); !d.names(said) || d.names("pool.example:444") {
			t.Errorf("%s as %s", url, said)
		}
	}
}

// TestDriftProbe changes files on a host and looks whether a status notices.
func TestDriftProbe(t *testing.T) {
	t.Parallel()
	h := newRoot(t)
	for _, r := range typical().Resources() {
		h.converge(r)
	}
	expect := func(what string, want ...string) {
		t.Helper()
		s, err := ParseStatus(h.must(StatusProbe()))
		if got := s.DriftFrom(typical().Description()); err != nil || got.Astray != "" || !slices.Equal(got.Differs, want) {
			t.Errorf("%s: %q, %v, want %q", what, got.Differs, err, want)
		}
	}
	expect("converged")
	config := h.read(minerConfig)
	h.write(minerConfig, "{}\n", 0o640)
	h.must(Command{Script: `touch -d 2001-01-01 "$1"`, Args: []string{minerConfig}})
	expect("config edited, with an old date", "config.json differs from fleet.hcl")
	h.write(minerConfig, config, 0o640)
	expect("config as before")
	h.must(Command{Script: `touch -d 2099-01-01 /run/xmrfleet/xmrig.service`}) // the clock was set back
	h.write(minerConfig, config+" ", 0o640)
	expect("config edited, under a record of the future", "config.json differs from fleet.hcl")
	h.must(Command{Script: `mv /etc/xmrig/config.json /opt/config.json; ln -s /opt/config.json /etc/xmrig/config.json`})
	expect("config is a link", "config.json differs from fleet.hcl")
	h.must(Command{Script: `rm /etc/xmrig/config.json`})
	h.write(minerConfig, config, 0o640)
	expect("config as before the link")
	h.must(Command{Script: `cp -p /usr/local/bin/xmrig /opt/other; echo >>/opt/other; touch -d 2001-01-01 /opt/other; ln -sfn /opt/other /usr/local/bin/xmrig`})
	expect("link moved to an older file", "the binary xmrig differs from fleet.hcl")
	h.must(Command{Script: `rm /usr/local/bin/xmrig`})
	expect("link gone", "the binary xmrig differs from fleet.hcl")
	h.converge(typical().binary())
	expect("link back")
	h.must(Command{Script: `rm /run/xmrfleet/xmrig.service`})
	expect("no record", "it is not known what the running miner was started with")
	h.must(Command{Script: `systemctl restart xmrig.service; mkdir /etc/systemd/system/xmrig.service.d`})
	expect("drop-ins", "xmrig.service has drop-ins")
	h.must(Command{Script: `rmdir /etc/systemd/system/xmrig.service.d; systemctl disable xmrig.service`})
	expect("disabled", "xmrig.service does not start at boot")
	h.must(Command{Script: `systemctl enable xmrig.service; echo >>/usr/local/bin/xmrig-orchestrator`})
	expect("another agent", "the binary xmrig-orchestrator differs from fleet.hcl")
}
