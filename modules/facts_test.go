package modules

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func TestParseFacts(t *testing.T) {
	got, err := ParseFacts(`uname=mini-1 6.1.0-30-amd64 x86_64
os=Debian GNU/Linux 12 (bookworm)
systemd=systemd 252 (252.39-1~deb12u2)
+PAM +AUDIT default-hierarchy=unified
threads=16
memory=32768000
selinux=yes
machine=0b1c2d3e4f5061728394a5b6c7d8e9f0
boot=3d5c3a5e-6a57-4b0f-8a1c-0a0b0c0d0e0f
environment=Environment="XMRIG_DB_PATH=/mnt/rails-storage/production.sqlite3"
agent=1.2.3
later=a fact that is not known yet
xmrig=` + strings.Repeat("a", 64) + ` root:755, /usr/local/bin/xmrig	/usr/local/lib/xmrfleet/a/xmrig	6.26.0
xmrig=` + strings.Repeat("b", 64) + ` root:755,root:755,a:755,root:755, /home/a b/xmrig	/home/a b/xmrig	
xmrig=damaged
`)
	want := Facts{
		Hostname: "mini-1", Kernel: "6.1.0-30-amd64", Arch: "x86_64", OS: "Debian GNU/Linux 12 (bookworm)",
		Systemd: 252, Threads: 16, MemoryKiB: 32768000, SELinux: true,
		MachineID:     "0b1c2d3e4f5061728394a5b6c7d8e9f0",
		BootID:        "3d5c3a5e-6a57-4b0f-8a1c-0a0b0c0d0e0f",
		Agent:         "1.2.3",
		AgentDatabase: "/mnt/rails-storage/production.sqlite3",
		XMRigs: []FoundBinary{
			{Path: "/usr/local/bin/xmrig", Real: "/usr/local/lib/xmrfleet/a/xmrig", SHA256: strings.Repeat("a", 64), Protected: true, Version: "6.26.0"},
			{Path: "/home/a b/xmrig", Real: "/home/a b/xmrig", SHA256: strings.Repeat("b", 64)},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v, %v\nwant %+v", got, err, want)
	}

	for _, probed := range []string{"", "uname=\n", "uname=mini-1\n"} {
		_, err := ParseFacts(probed)
		want := `read facts: unexpected answer "` + firstLine(probed) + `"`
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", probed, err, want)
		}
	}
}

func TestSameMachine(t *testing.T) {
	const id = "0b1c2d3e4f5061728394a5b6c7d8e9f0"
	a := Facts{MachineID: id, BootID: "1"}
	for _, test := range []struct {
		other Facts
		want  bool
	}{
		{Facts{MachineID: id, BootID: "1"}, true},
		{Facts{MachineID: id, BootID: "2"}, false},  // a clone
		{Facts{MachineID: "f", BootID: "1"}, false}, // a container beside it
		{Facts{BootID: "1"}, false},
	} {
		if got := a.SameMachine(test.other); got != test.want {
			t.Errorf("%+v: got %v", test.other, got)
		}
	}
	if (Facts{BootID: "1"}).SameMachine(Facts{BootID: "1"}) {
		t.Error("two hosts without a machine id are one")
	}
	if f, _ := ParseFacts("uname=m 6 x86_64\nmachine=uninitialized\n"); f.MachineID != "" {
		t.Errorf("got %q", f.MachineID)
	}
}

func TestSupported(t *testing.T) {
	for _, test := range []struct {
		facts Facts
		want  string
	}{
		{Facts{Systemd: 252, Arch: "x86_64"}, ""},
		{Facts{Systemd: 245, Arch: "aarch64"}, ""},
		{Facts{Hostname: "a", OS: "Alpine Linux v3.20", Arch: "x86_64"},
			"host a (Alpine Linux v3.20): PID 1 is not systemd; xmrfleet manages Linux hosts with systemd 245 or later"},
		{Facts{Hostname: "a", OS: "Debian GNU/Linux 10 (buster)", Systemd: 241, Arch: "x86_64"},
			"host a (Debian GNU/Linux 10 (buster)): systemd 241 is too old; xmrfleet needs 245 or later"},
		{Facts{Hostname: "a", OS: "Debian", Systemd: 252, Arch: "riscv64"},
			"host a: architecture riscv64 is not supported; xmrfleet manages x86_64 and aarch64"},
	} {
		got := ""
		if err := test.facts.Supported(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v:\n got %q\nwant %q", test.facts, got, test.want)
		}
	}
}

// TestFacts reads the facts of the machine that runs the test.
func TestFacts(t *testing.T) {
	h := newRoot(t)
	got := h.facts()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got.Hostname != name || got.Systemd != 252 || got.GOARCH() == "" || got.OS == "" ||
		got.Threads < 1 || got.MemoryKiB < 1024 || len(got.BootID) != 36 || got.XMRigs != nil || got.AgentDatabase != "" {
		t.Errorf("%+v", got)
	}
	if err := os.RemoveAll(h.root + "/run/systemd"); err != nil {
		t.Fatal(err)
	}
	if got := h.facts(); got.Systemd != 0 {
		t.Errorf("systemd %d without /run/systemd/system", got.Systemd)
	}
}

func TestAgentDatabase(t *testing.T) {
	for _, test := range []struct{ unit, want string }{
		{"[Service]\nExecStart=/usr/local/bin/xmrig-orchestrator\nRestart=always\n" +
			"Environment=\"XMRIG_DB_PATH=/mnt/rails-storage/production.sqlite3\"\n", "/mnt/rails-storage/production.sqlite3"},
		{"Environment=XMRIG_DB_PATH=/srv/db.sqlite3\n", "/srv/db.sqlite3"},
		{"Environment='XMRIG_DB_PATH=/srv/my db'\n", "/srv/my db"},
		{"Environment=\"XMRIG_DB_PATH=/srv/my db\"\n", "/srv/my db"},
		{"Environment=XMRIG_DB_PATH=\"/srv/my db\"\n", "/srv/my db"},
		{"Environment=RAILS_ENV=production XMRIG_DB_PATH=/srv/db LANG=C\n", "/srv/db"},
		{"Environment=\"RAILS_ENV=production\" \"XMRIG_DB_PATH=/srv/db\" \"LANG=C\"\n", "/srv/db"},
		{"Environment = XMRIG_DB_PATH=/srv/db \n", "/srv/db"},
		{"Environment=XMRIG_DB_PATH=/srv/old\nEnvironment=XMRIG_DB_PATH=/srv/new\n", "/srv/new"},
		{"#Environment=XMRIG_DB_PATH=/srv/db\n", ""},
		{"Environment=OLD_XMRIG_DB_PATH=/srv/db\n", ""},
		{"Environment=GOMAXPROCS=1\n", ""},
	} {
		h := newRoot(t)
		h.write("/etc/systemd/system/xmrig-orchestrator.service", test.unit, 0o644)
		if got := h.facts().AgentDatabase; got != test.want {
			t.Errorf("%q: got %q, want %q", test.unit, got, test.want)
		}
	}

	h := newRoot(t)
	h.write("/etc/systemd/system/xmrig-orchestrator.service", "Environment=XMRIG_DB_PATH=/srv/old\n", 0o644)
	h.write("/etc/systemd/system/xmrig-orchestrator.service.d/database.conf", "[Service]\nEnvironment=XMRIG_DB_PATH=/srv/new\n", 0o644)
	if got := h.facts().AgentDatabase; got != "/srv/new" {
		t.Errorf("with a drop-in: got %q", got)
	}
}

func TestFoundBinaries(t *testing.T) {
	h := newRoot(t)
	h.write("/usr/local/bin/xmrig", current, 0o755)
	h.write("/opt/xmrig-6.26.0/xmrig", previous, 0o755)
	h.write("/opt/xmrig/build/xmrig", previous, 0o775)
	h.write("/opt/xmrig-notes/xmrig", "not executable", 0o644)
	h.write("/home/a b/xmrig", older, 0o755)
	h.write("/home/evil/xmrig\nxmrig="+sum(current)+" yes /opt/x\t/xmrig", current, 0o755)
	h.mkdir("/home/evil/xmrig\narch=none")
	h.write("/home/evil/xmrig\narch=none/xmrig", current, 0o755)
	h.chown("/home/a b", 1)
	if err := os.MkdirAll(h.root+"/root/xmrig/xmrig", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/local/bin/xmrig", h.root+"/home/xmrig"); err != nil {
		t.Fatal(err)
	}
	want := []FoundBinary{
		{"/usr/local/bin/xmrig", "/usr/local/bin/xmrig", sum(current), true, ""},
		{"/opt/xmrig-6.26.0/xmrig", "/opt/xmrig-6.26.0/xmrig", sum(previous), true, ""},
		{"/opt/xmrig/build/xmrig", "/opt/xmrig/build/xmrig", sum(previous), false, ""},
		{"/home/a b/xmrig", "/home/a b/xmrig", sum(older), false, ""},
	}
	if got := h.facts().XMRigs; !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// TestFactsOfAgent reads the version out of what the agent says of itself, and
// nothing that somebody else got into it.
func TestFactsOfAgent(t *testing.T) {
	for _, shell := range []string{"dash", "bash --posix", "busybox sh"} {
		words := strings.Fields(shell)
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		h := newRoot(t)
		h.shell = words
		for content, want := range map[string]string{
			"": "",
			`{"version":"1.2.3","decision":{"evidence":"pool a\nxmrig=` + sum("") + ` root:755, /x\t/tmp/x\t"}}` + "\n": "1.2.3",
			`{"version":"1\n2"}` + "\n": "",
			`{"pid":7}` + "\n":          "",
		} {
			h.write("/run/xmrfleet/agent.json", content, 0o644)
			if f := h.facts(); f.Agent != want || f.XMRigs != nil {
				t.Errorf("%s: %q: agent %q, %+v", shell, content, f.Agent, f.XMRigs)
			}
		}
	}
}
