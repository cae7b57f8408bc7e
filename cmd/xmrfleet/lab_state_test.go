//go:build lab

package main

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/internal/release"
)

// mini1 is the host block of a fleet of one, with settings of its xmrig block.
func mini1(settings ...string) string {
	return "host \"mini-1\" {\n  xmrig {\n    " + strings.Join(settings, "\n    ") + "\n  }\n}\n"
}

// paths lists all that is on a host, but for what any use of it leaves behind.
const paths = `find / -xdev \( -path /var/log -o -path /var/lib/systemd -o -path /var/lib/private -o -path /proc -o -path /sys \
	-o -path /run -o -path /tmp -o -path /var/tmp -o -path /dev \) -prune -o ! -name 'passwd-' ! -name 'group-' \
	! -name 'shadow-' ! -name 'gshadow-' ! -name 'subuid-' ! -name 'subgid-' ! -name '.pwd.lock' ! -name '.updated' -print | sort
getent passwd; getent group; systemctl list-unit-files --no-legend '*xmrig*'; pgrep -a xmrig; :`

const units = `for unit in xmrig xmrig-orchestrator; do
	printf '%s %s %s\n' "$unit" "$(systemctl is-active $unit)" "$(systemctl is-enabled $unit 2>/dev/null)"
done`

func TestStates(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	f.sh("mini-1", `mkdir /run/xmrig-sim; echo speed=20 >/run/xmrig-sim/control`) // a rate within a second
	bare := f.sh("mini-1", paths)
	is := func(miner, agent, state string) {
		t.Helper()
		if got, want := f.sh("mini-1", units), "xmrig "+miner+"\nxmrig-orchestrator "+agent+"\n"; got != want {
			t.Errorf("units\n got %q\nwant %q", got, want)
		}
		f.until("mini-1", `xmrig-orchestrator status --json | grep '"state":"`+state+`"'`)
		contains(t, f.mustRun(exitDone, "status").stdout, "mini-1", state)
		f.converged()
	}
	f.write(preamble + mini1(`state = "absent"`))
	f.converged()
	f.write(preamble + mini1())
	f.apply()
	is("active enabled", "active enabled", "running")

	f.write(preamble + mini1(`state = "stopped"`))
	f.apply()
	is("inactive disabled", "active enabled", "stopped")
	f.sh("mini-1", `systemctl enable -q --now xmrig`)
	f.plans("mini-1", []string{"- stop    service xmrig  start at boot: enabled -> disabled"})
	f.apply()
	is("inactive disabled", "active enabled", "stopped")

	f.write(preamble + mini1())
	f.apply()
	is("active enabled", "active enabled", "running")

	f.write(preamble + mini1(`state = "absent"`))
	f.apply()
	if left := f.sh("mini-1", paths); left != bare {
		t.Errorf("absent leaves\n%s", difference(bare, left))
	}
	contains(t, f.mustRun(exitDone, "status").stdout, "absent")
	f.converged()

	const database = "/srv/rails/production.sqlite3"
	f.sh("mini-1", `mkdir /srv/rails; touch "$1"`, database)
	withRails := preamble + "host \"mini-1\" {\n  agent {\n    database = \"" + database + "\"\n  }\n}\n"
	f.write(withRails)
	contains(t, f.mustRun(exitPartial, "apply", "--yes").stdout, "changed, but not verified: verify: its health agent cannot do all its work: ", "has no table xmrig_processes")
	contains(t, f.mustRun(exitError, "apply", "--yes").stdout, "mini-1  its health agent cannot do all its work: ") // nothing is left to do
	f.migrate("mini-1", database)
	f.until("mini-1", `xmrig-orchestrator status`)
	f.mustRun(exitDone, "status", "--wait")
	is("active enabled", "active enabled", "running")
	f.write(preamble + mini1(`state = "absent"`))
	f.apply()
	f.converged()
	left := difference(bare, f.sh("mini-1", paths))
	for line := range strings.Lines(left) {
		if !strings.HasPrefix(line, "+ /srv/rails") {
			t.Errorf("absent leaves\n%s", left)
			break
		}
	}
	contains(t, left, database)
}

// migrate makes the tables of a Rails application in its database on a host.
func (f *fleet) migrate(host, database string) {
	f.t.Helper()
	sqlite := exec.Command("sqlite3", "-bail", filepath.Join(f.lab.Dir(), "hosts", host, "root", database))
	sqlite.Stdin = strings.NewReader(labtest.RailsTables)
	if out, err := sqlite.CombinedOutput(); err != nil {
		f.t.Fatalf("sqlite3: %v: %s", err, out)
	}
}

// difference lists the lines that only one of two texts has.
func difference(before, after string) string {
	b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out strings.Builder
	for _, line := range b {
		if !slices.Contains(a, line) {
			fmt.Fprintf(&out, "- %s\n", line)
		}
	}
	for _, line := range a {
		if !slices.Contains(b, line) {
			fmt.Fprintf(&out, "+ %s\n", line)
		}
	}
	return out.String()
}

// TestDonationConfig looks for the ways in which a host could come to mine for
// the pool of the config.json that is in every release archive.
func TestDonationConfig(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	f.apply()
	if got := f.sh("mini-1", `find / -xdev -name config.json; find /run /tmp -name config.json`); got != configFile+"\n" {
		t.Errorf("configurations on the host: %q", got)
	}
	const donation = `{"pools":[{"url":"donate.v2.xmrig.com:3333","user":"x"}]}`
	f.sh("mini-1", `
		real=$(readlink -f /usr/local/bin/xmrig)
		for dir in "${real%/*}" /usr/local/bin; do echo "$1" >"$dir/config.json"; done
		printf '{"pools": [' >/etc/xmrig/config.json
		systemctl restart xmrig`, donation)
	state := f.until("mini-1", `systemctl is-failed -q xmrig && systemctl show -p ActiveState,SubState,ExecMainStatus,NRestarts xmrig`)
	if want := "NRestarts=0\nExecMainStatus=2\nActiveState=failed\nSubState=failed\n"; state != want {
		t.Errorf("with a broken config\n got %q\nwant %q", state, want)
	}
	f.plans("mini-1", []string{"~ update  file /etc/xmrig/config.json", "+ start   service xmrig: it failed: exit-code"})
	f.apply()
	log := f.sh("mini-1", `journalctl --namespace=xmrig --sync; journalctl -q --namespace=+xmrig -u xmrig -o cat`)
	contains(t, log, "No valid configuration found", "pool-a.example:443")
	if strings.Contains(log, "donate.v2") {
		t.Errorf("mined for the donation pool:\n%s", log)
	}
	f.converged()
}

// use makes the fleet's release this one.
func (f *fleet) use(a release.Archive) {
	maps.Copy(f.env, labtest.Variables(a))
}

func TestChanges(t *testing.T) {
	f := newFleet(t, mini1("max_threads_hint = 50"), "mini-1")
	first := labtest.Archive(t)
	var later []release.Archive
	for _, version := range []string{"6.26.1", "6.26.2"} {
		a, err := release.BuildVersion(context.Background(), t.TempDir(), version)
		if err != nil {
			t.Fatal(err)
		}
		later = append(later, a)
	}
	f.use(first)
	f.apply()

	f.use(later[0])
	const token = "tok-8c1f0e"
	f.env["XMRFLEET_VAR_token"] = token
	f.write(strings.Replace(preamble, "pool-a", "pool-b", 1) + "worker = \"other\"\nvariable \"token\" {\n  sensitive = true\n}\n" +
		mini1("max_threads_hint = 75", "http_port = 8181", "access_token = var.token"))
	o := f.mustRun(exitChanges, "plan", "--detailed-exitcode")
	short := func(a release.Archive) string { return a.BinarySHA256[:12] + "…" }
	contains(t, strings.Join(strings.Fields(o.stdout), " "),
		`- "max-threads-hint": 50`, `+ "max-threads-hint": 75`,
		`- "url": "pool-a.example:443"`, `+ "url": "pool-b.example:443"`,
		`- "port": 8080,`, `+ "port": 8181,`, `+ "access-token": "(sensitive)"`,
		`- "worker-id": "mini-1-production"`, `+ "worker-id": "other"`,
		"target: /usr/local/lib/xmrfleet/"+short(first)+"/xmrig -> /usr/local/lib/xmrfleet/"+short(later[0])+"/xmrig")
	want := []string{
		"~ update  binary xmrig", "~ update  file /etc/xmrig/config.json", "~ update  file /etc/xmrig/orchestrator.json",
		"~ restart service xmrig: the running process has the old config and binary",
		"~ restart service xmrig-orchestrator: the running process has the old config",
	}
	if got := changes(o.stdout); !slices.Equal(got, want) {
		t.Errorf("changes\n got %q\nwant %q", got, want)
	}
	if o := f.run("apply", "--yes", "-v"); o.code != exitDone || strings.Contains(o.String(), token) {
		t.Errorf("with an access token: %v", o)
	}
	f.converged()
	f.sh("mini-1", `xmrig-orchestrator check && ! curl -sf http://127.0.0.1:8181/2/summary`)
	f.stores(first, later[0])

	f.use(later[1])
	contains(t, f.run("plan").stdout, "old binary: "+short(first))
	f.apply()
	f.stores(later[0], later[1])

	f.use(later[0])
	f.plans("mini-1", []string{"~ update  binary xmrig", "~ restart service xmrig: the running process has the old binary"})
	before := f.received("mini-1")
	f.apply()
	if n := f.received("mini-1") - before; n > 200<<10 {
		t.Errorf("%d bytes were sent to go back to the previous version", n)
	}
	contains(t, f.sh("mini-1", `xmrig-orchestrator check`), `"xmrig_version":"6.26.1"`)
	f.stores(later[0], later[1])
	f.converged()
}

// stores fails unless the store of mini-1 holds these, no matter their order.
func (f *fleet) stores(archives ...release.Archive) {
	f.t.Helper()
	var want []string
	for _, a := range archives {
		want = append(want, a.BinarySHA256)
	}
	if got := strings.Fields(f.sh("mini-1", `ls /usr/local/lib/xmrfleet`)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		f.t.Errorf("store: got %q, want %q", got, want)
	}
}

// received is how many bytes have come to a host.
func (f *fleet) received(host string) int {
	f.t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(f.sh(host, `cat /sys/class/net/eth0/statistics/rx_bytes`)))
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestTarget(t *testing.T) {
	hosts := []string{"mini-1", "mini-2", "mini-3"}
	f := newFleet(t, "host \"mini-1\" {}\nhost \"mini-2\" {}\nhost \"mini-3\" {}\n", hosts...)
	f.mustRun(exitDone, "apply", "--yes", "-l", "mini-1")
	f.mustRun(exitDone, "apply", "--yes", "-l", "mini-2", "--target", "agent")
	f.mustRun(exitDone, "apply", "--yes", "-l", "mini-3", "--target", "xmrig")
	for host, want := range map[string]string{
		"mini-1": "xmrig active enabled\nxmrig-orchestrator active enabled\n",
		"mini-2": "xmrig inactive \nxmrig-orchestrator active enabled\n",
		"mini-3": "xmrig active enabled\nxmrig-orchestrator inactive \n",
	} {
		if got := f.sh(host, units); got != want {
			t.Errorf("%s\n got %q\nwant %q", host, got, want)
		}
	}
	f.plans("mini-2", nil, "--target", "agent")
	f.plans("mini-3", nil, "--target", "xmrig")

	before := f.footprint("mini-1")
	f.sh("mini-1", `cd /usr/local/bin && cp -p xmrig-orchestrator new && echo >>new && mv new xmrig-orchestrator && systemctl restart xmrig-orchestrator
		sed -i s/pool-a/pool-x/ /etc/xmrig/config.json`)
	f.plans("mini-1", []string{"~ update  executable /usr/local/bin/xmrig-orchestrator: content differs (not shown)",
		"~ restart service xmrig-orchestrator: the running process has the old binary"}, "--target", "agent")
	f.mustRun(exitDone, "apply", "--yes", "-l", "mini-1", "--target", "agent")
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, []string{configFile, "/usr/local/bin/xmrig-orchestrator", agentRun}) {
		t.Errorf("--target agent moved %q", got)
	}

	before = f.footprint("mini-1")
	f.sh("mini-1", `systemctl stop xmrig-orchestrator`)
	f.plans("mini-1", []string{"~ update  file /etc/xmrig/config.json"}, "--target", "xmrig")
	f.mustRun(exitDone, "apply", "--yes", "-l", "mini-1", "--target", "xmrig")
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, []string{configFile, "xmrig-orchestrator.service:ActiveState"}) {
		t.Errorf("--target xmrig moved %q", got)
	}

	f.apply()
	f.converged()
}

// TestAudit reads on the host who did what.
func TestAudit(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	f.apply()
	f.write(preamble + mini1("max_threads_hint = 7"))
	f.apply()
	f.apply()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(f.sh("mini-1", `journalctl --sync; journalctl -q -t xmrfleet -o cat; hostname >/dev/null`)), "\n")
	if len(lines) != 4 {
		t.Fatalf("want two lines for each of two applies that changed something: %q", lines)
	}
	last := regexp.MustCompile(`^run [0-9a-f]{8} by ` + regexp.QuoteMeta(me.Username) + ` from \S+, xmrfleet \S+: update file /etc/xmrig/config\.json; restart service xmrig$`)
	if !last.MatchString(lines[2]) {
		t.Errorf("audit: %q", lines[2])
	}
	contains(t, lines[3], ": made all 2 changes")
	contains(t, lines[0], "create user xmrig; create binary xmrig "+labtest.Archive(t).Version+"; create file /etc/xmrig/config.json")
	contains(t, f.sh("mini-1", `journalctl -q -t sshd -t sshd-session -o cat`), "Accepted publickey for deploy from "+f.lab.Gateway())
	contains(t, f.sh("mini-1", `journalctl -q -t sudo -o cat`), "deploy : ", "USER=root ; COMMAND=/bin/sh")
}

func TestReboot(t *testing.T) {
	stopped := "host \"mini-2\" {\n  xmrig {\n    state = \"stopped\"\n  }\n}\n"
	f := newFleet(t, mini1()+stopped, "mini-1", "mini-2")
	f.apply()
	before := f.footprint("mini-1")
	for _, host := range f.lab.Hosts {
		if err := host.Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.until("mini-2", `systemctl is-active xmrig-orchestrator && ! systemctl is-active xmrig`)
	f.until("mini-1", `systemctl is-active xmrig xmrig-orchestrator && xmrig-orchestrator check`)
	f.converged()
	want := []string{"systemd-journald@xmrig.service:InvocationID", agentRun, minerRun}
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("moved %q", got)
	}
}
