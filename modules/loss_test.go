package modules

import (
	"strings"
	"testing"
)

// TestLosses looks at what a unit had that ours has not.
func TestLosses(t *testing.T) {
	for _, m := range variants() {
		unit, _ := m.minerUnit()
		watcher, _ := m.agentUnit()
		for _, u := range []Unit{unit, watcher} {
			if got := maskUnit([]byte(u.Text)); got != u.Text {
				t.Errorf("our own unit is masked:\n%s", got)
			}
		}
		if got := losses(unit.Text); got != nil {
			t.Errorf("our own unit lost %q", got)
		}
	}
	got := losses(`[Unit]
Description=Miner
[Service]
# Nice=10
AmbientCapabilities=CAP_SYS_RAWIO CAP_SYS_NICE
CPUAffinity=0-7
CPUAffinity=
CPUAffinity=0 2 \
  4
Nice=10
Environment=A=b
EnvironmentFile=/etc/default/xmrig
LimitMEMLOCK=infinity
ExecStartPre=/sbin/modprobe msr
ExecStart=/opt/xmrig --config=/etc/xmrig/config.json --randomx-1gb-pages -t 4 --asm=auto
StandardOutput=append:/var/log/xmrig.log
[Install]
Slice=x
`)
	want := []string{"no User= of its own", "CAP_SYS_RAWIO", "CPUAffinity=0 2    4", "Nice=10", "LimitMEMLOCK=infinity",
		"Environment=A=(sensitive)", "EnvironmentFile=/etc/default/xmrig", "ExecStartPre=/sbin/modprobe", "StandardOutput=append:/var/log/xmrig.log",
		"--randomx-1gb-pages on its command line", "-t on its command line", "--asm on its command line"}
	if len(got) != len(want) {
		t.Errorf("%d losses, want %d: %q", len(got), len(want), got)
	}
	for i := range min(len(got), len(want)) {
		if !strings.HasPrefix(got[i], "the old unit had "+want[i]+": ") || !strings.Contains(got[i], "; to keep it: ") {
			t.Errorf("%q, want %s", got[i], want[i])
		}
	}
	const secret = "[Service]\nUser=xmrig\nEnvironment=\"POOL_PASS=hunter 2\" B=hunter2\nExecStart=/x -p hunter2 --user=hunter2\n"
	if got := strings.Join(losses(secret), "\n") + maskUnit([]byte(secret)); strings.Contains(got, "hunter") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	if got := losses("[Service]\nUser=xmrig\nStandardOutput=journal\n"); got != nil {
		t.Errorf("%q", got)
	}
}

// TestDropInLosses reads what drop-ins gave to a miner on a host.
func TestDropInLosses(t *testing.T) {
	h := newRoot(t)
	unit, _ := typical().minerUnit()
	d := minerDropIns{noDropIns(unit.Name)}
	if c := h.change(d); !c.Empty() {
		t.Errorf("none: %+v", c)
	}
	h.write(dropIns(unit.Name)+"/a.conf", "[Service]\nNice=-5\n", 0o644)
	h.write(dropIns(unit.Name)+"/b.conf", "[Service]\nAllowedCPUs=1-3\n", 0o644)
	c := h.change(d)
	if c.Action != Delete || len(c.Warnings) != 2 || !strings.HasPrefix(c.Warnings[0], "the drop-ins had AllowedCPUs=1-3: ") {
		t.Errorf("%+v", c)
	}
	h.converge(d)
}
