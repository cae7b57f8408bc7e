package modules

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

// canary is in every secret of these tests and must be in no output.
const canary = "canary"

// typical is a miner as a fleet.hcl would give it, with two pools and a token.
func typical() Miner {
	priority := 3
	archive := NewBlob([]byte(current))
	return Miner{
		Host:   "mini-1",
		Worker: "mini-1-production",
		Wallet: Secret("wallet-" + canary),
		Pools: []Pool{
			{URL: "pool.hashvault.pro:443", TLS: true, TLSFingerprint: strings.Repeat("ab", 32), Keepalive: true, SNI: true},
			{URL: "gulf.moneroocean.stream:10128", User: Plain("user <a&b>"), Pass: Secret("pass-" + canary),
				RigID: "rig", Nicehash: true, Algo: "rx/0", Coin: "monero", SOCKS5: "127.0.0.1:9050"},
		},
		XMRig: XMRig{
			Version: "6.26.0", SHA256: strings.Repeat("1", 64), BinarySHA256: archive.SHA256,
			Install: InstallPush, Source: "https://example.org/xmrig.tar.gz", Binary: archive,
			State: StateRunning, MaxThreadsHint: 50, Priority: &priority, HugePages: true, DonateLevel: 1,
			HTTPPort: 8080, AccessToken: Secret("token-" + canary),
			Config: map[string]any{
				"cpu":     map[string]any{"yield": false, "rx": []any{0.0, 2.0}},
				"randomx": map[string]any{"mode": "fast", "note": Secret("note-" + canary)},
			},
		},
		Agent: Agent{
			Interval: 10 * time.Second, RestartPolicy: "evidence",
			Thresholds: map[string]float64{"wedged": 30},
			Binaries:   map[string]*Blob{"amd64": NewBlob([]byte("agent")), "arm64": NewBlob([]byte("agent"))},
		},
	}
}

// variants are the miners that differ in what runs on their hosts.
func variants() map[string]Miner {
	m := map[string]Miner{"running": typical()}
	add := func(name string, change func(*Miner)) {
		v := typical()
		change(&v)
		m[name] = v
	}
	add("stopped", func(m *Miner) { m.XMRig.State = StateStopped })
	add("absent", func(m *Miner) { m.XMRig.State = StateAbsent })
	add("pull", func(m *Miner) { m.XMRig.Install, m.XMRig.Binary = InstallPull, nil })
	add("existing", func(m *Miner) {
		m.XMRig.Install, m.XMRig.Binary, m.XMRig.BinarySHA256 = InstallExisting, nil, ""
	})
	add("database", func(m *Miner) { m.Agent.Database = "/mnt/rails storage/production.sqlite3" })
	add("hostname", func(m *Miner) { m.Agent.Hostname = "miner-1" })
	add("plain", func(m *Miner) {
		m.XMRig.Priority, m.XMRig.Config, m.XMRig.AccessToken = nil, nil, Value{}
	})
	return m
}

// TestMiner brings a host from nothing to a running miner, through stopped, to
// nothing again, with the real account tools.
func TestMiner(t *testing.T) {
	for _, program := range []string{"useradd", "groupadd", "usermod", "userdel", "groupdel"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	t.Parallel()
	lifeOfMiner(newRoot(t))
}

// lifeOfMiner brings a host from nothing to a running miner, through stopped, to
// nothing again.
func lifeOfMiner(h *host) {
	t := h.t
	apply := func(what string, m Miner, parts ...Part) (changes []string) {
		t.Helper()
		facts := h.facts()
		for _, r := range m.Resources(parts...) {
			if err := r.Validate(); err != nil {
				t.Fatal(err)
			}
			c, err := r.Diff(h.must(r.Probe()), facts) // with the facts of before, as a plan has
			if err != nil {
				t.Fatalf("%s: %s: %v", what, r.ID(), err)
			}
			if !c.Empty() {
				changes = append(changes, string(c.Action)+" "+r.ID())
			}
			for _, step := range c.Steps {
				h.must(step)
			}
		}
		for _, r := range m.Resources(parts...) {
			if c := h.change(r); !c.Empty() {
				t.Errorf("%s: %s is not idempotent: %+v", what, r.ID(), c)
			}
		}
		return changes
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", what, got, want)
		}
	}

	running := typical()
	expect("new", apply("new", running),
		"create directory /etc/xmrig",
		"create journal xmrig",
		"create user xmrig",
		"create binary xmrig",
		"create file /etc/xmrig/config.json",
		"create unit xmrig.service",
		"create executable /usr/local/bin/xmrig-orchestrator",
		"create file /etc/xmrig/orchestrator.json",
		"create unit xmrig-orchestrator.service",
		"start service xmrig",
		"start service xmrig-orchestrator")
	expect("again", apply("again", running))

	other := typical()
	other.XMRig.MaxThreadsHint = 75
	expect("other config", apply("other config", other),
		"update file /etc/xmrig/config.json", "restart service xmrig")

	other.Agent.Binaries = map[string]*Blob{"amd64": NewBlob([]byte("agent 2")), "arm64": NewBlob([]byte("agent 2"))}
	expect("other agent", apply("other agent", other, AgentPart),
		"update executable /usr/local/bin/xmrig-orchestrator", "restart service xmrig-orchestrator")

	other.XMRig.Priority = nil
	expect("other unit", apply("other unit", other, XMRigPart),
		"update file /etc/xmrig/config.json", "update unit xmrig.service", "restart service xmrig")

	stopped := other
	stopped.XMRig.State = StateStopped
	expect("stopped", apply("stopped", stopped),
		"update file /etc/xmrig/orchestrator.json",
		"stop service xmrig",
		"restart service xmrig-orchestrator")

	h.write("/var/lib/xmrig-orchestrator/orchestrator.sqlite3", "rows", 0o644)
	absent := other
	absent.XMRig.State = StateAbsent
	expect("absent", apply("absent", absent),
		"stop service xmrig-orchestrator",
		"delete unit xmrig.service",
		"delete file /etc/xmrig/config.json",
		"delete binary xmrig",
		"delete user xmrig",
		"delete unit xmrig-orchestrator.service",
		"delete file /etc/xmrig/orchestrator.json",
		"delete executable /usr/local/bin/xmrig-orchestrator",
		"delete directory /var/lib/xmrig-orchestrator",
		"delete journal xmrig")
	expect("absent again", apply("absent again", absent))

	left := h.must(Command{Script: `
grep -l xmrig -r --exclude='*-' /etc /usr/local /var/lib
find /etc /usr/local /var/lib /opt /home -name '*xmrig*' -o -name '*xmrfleet*'
:`})
	if want := ""; left != want {
		t.Errorf("left behind:\n%s", left)
	}
}

// TestTakeover brings a host that the specification's Ruby daemon runs on to
// what the description wants.
func TestTakeover(t *testing.T) {
	t.Parallel()
	h := newRoot(t)
	h.write("/etc/passwd", h.read("/etc/passwd")+"xmrig:x:990:990::/home/xmrig:/bin/bash\n", 0o644)
	h.write("/etc/group", h.read("/etc/group")+"xmrig:x:990:\n", 0o644)
	h.write("/usr/local/bin/xmrig", previous, 0o755)
	h.write("/usr/local/bin/xmrig-orchestrator", "#!/usr/bin/env ruby\n", 0o755)
	h.write("/etc/xmrig/config.json", `{"autosave": true, "pools": []}`, 0o644)
	h.write("/etc/logrotate.d/xmrig", "/var/log/xmrig/*.log {}\n", 0o644)
	h.write("/etc/systemd/system/xmrig.service", "[Service]\nExecStart=/usr/local/bin/xmrig\n", 0o644)
	h.write("/etc/systemd/system/xmrig.service.d/nice.conf", "[Service]\nNice=19\n", 0o644)
	h.write("/etc/systemd/system/xmrig-orchestrator.service", "[Service]\nEnvironment=\"XMRIG_DB_PATH=/mnt/rails-storage/production.sqlite3\"\n", 0o644)
	h.must(Command{Script: "systemctl enable xmrig.service xmrig-orchestrator.service; systemctl start xmrig.service xmrig-orchestrator.service"})

	m := typical()
	facts := h.facts()
	var refused string
	for _, r := range m.Resources() {
		if _, err := r.Diff(h.must(r.Probe()), facts); err != nil {
			refused += err.Error()
		}
	}
	want := `unit xmrig-orchestrator.service: the installed daemon works on the database /mnt/rails-storage/production.sqlite3, which fleet.hcl does not name; add to this host: agent { database = "/mnt/rails-storage/production.sqlite3" }`
	if refused != want {
		t.Errorf("\n got %s\nwant %s", refused, want)
	}
	h.write("/etc/systemd/system/xmrig-orchestrator.service", "[Service]\n", 0o644)
	if got := h.facts().AgentDatabase; got != "/mnt/rails-storage/production.sqlite3" {
		t.Errorf("the daemon's own database is %q", got)
	}

	m.Agent.Database = "/mnt/rails-storage/production.sqlite3"
	var changes []string
	for _, r := range m.Resources() {
		c, err := r.Diff(h.must(r.Probe()), facts)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Empty() {
			changes = append(changes, string(c.Action)+" "+r.ID())
		}
		for _, step := range c.Steps {
			h.must(step)
		}
	}
	for _, r := range m.Resources() {
		if c := h.change(r); !c.Empty() {
			t.Errorf("%s is not idempotent: %+v", r.ID(), c)
		}
	}
	if want := []string{
		"create journal xmrig",
		"update user xmrig",
		"delete file /etc/logrotate.d/xmrig",
		"update binary xmrig",
		"update file /etc/xmrig/config.json",
		"delete drop-ins /etc/systemd/system/xmrig.service.d",
		"update unit xmrig.service",
		"update executable /usr/local/bin/xmrig-orchestrator",
		"create file /etc/xmrig/orchestrator.json",
		"update unit xmrig-orchestrator.service",
		"restart service xmrig",
		"restart service xmrig-orchestrator",
	}; !reflect.DeepEqual(changes, want) {
		t.Errorf("\n got %q\nwant %q", changes, want)
	}
}

// TestBareHost asks a host on which nothing is installed, and whose programs
// know nothing, for everything.
func TestBareHost(t *testing.T) {
	for name, m := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			if name == "plain" {
				h.path = hostPath // whatever systemctl says where it is not at home
			}
			facts := h.facts()
			facts.XMRigs = []FoundBinary{{Path: "/opt/xmrig/xmrig", Real: "/opt/xmrig/xmrig", SHA256: sum(current), Protected: true}}
			facts.AgentDatabase = ""
			for _, r := range m.Resources() {
				result := h.run(r.Probe())
				if result.Status != 0 || result.Stderr != "" {
					t.Errorf("%s: exit %d: %s", r.ID(), result.Status, result.Stderr)
				}
				c, err := r.Diff(result.Stdout, facts)
				if err != nil {
					t.Errorf("%s: %v", r.ID(), err)
				}
				if name == "absent" && !c.Empty() {
					t.Errorf("%s: %+v", r.ID(), c)
				}
			}
		})
	}
}

// TestSecrets looks for secrets wherever they must not be: in what readers
// see, and in arguments, which other users of the host see.
func TestSecrets(t *testing.T) {
	for name, m := range variants() {
		h := newHost(t)
		facts := Facts{Arch: "x86_64", XMRigs: []FoundBinary{{Path: "/opt/xmrig", Real: "/opt/xmrig", SHA256: sum(current)}}}
		for _, r := range m.Resources() {
			probe := r.Probe()
			commands := []Command{probe}
			probed := h.must(probe)
			c, err := r.Diff(probed, facts)
			if err != nil {
				t.Fatal(err)
			}
			commands = append(commands, c.Steps...)
			for _, command := range commands {
				if text := command.Script + strings.Join(command.Args, " "); strings.Contains(text, canary) {
					t.Errorf("%s: %s: a secret in a command: %q", name, r.ID(), text)
				}
			}
			shown(t, name+": "+r.ID(), c)
		}
	}
}

// shown fails where a reader would see a secret.
func shown(t *testing.T, name string, c Change) {
	t.Helper()
	text := c.Before + c.After + c.Reason + strings.Join(c.Warnings, "")
	for _, f := range c.Fields {
		text += f.Name + f.Old + f.New
	}
	if strings.Contains(text, canary) {
		t.Errorf("%s shows a secret:\n%s", name, text)
	}
}
