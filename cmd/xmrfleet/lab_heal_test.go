//go:build lab

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/modules/agent"
)

// with is the same fleet for a subtest.
func (f *fleet) with(t *testing.T) *fleet {
	g := *f
	g.t = t
	return &g
}

var changeLine = regexp.MustCompile(`(?m)^      ([~+-] .*)$`)

// changes lists the changes that an output shows, without their details.
func changes(text string) []string {
	var lines []string
	for _, m := range changeLine.FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// plans fails unless a plan of one host shows exactly these changes.
func (f *fleet) plans(host string, want []string, flags ...string) {
	f.t.Helper()
	o := f.run(append([]string{"plan", "-l", host}, flags...)...)
	if got := changes(o.stdout); o.code != exitDone || !slices.Equal(got, want) {
		f.t.Errorf("plan: want %q, got %v", want, o)
	}
}

// footprint prints what an apply could move on a host: all but the times of
// directories, and each run of the services.
const footprint = `
find /etc/xmrig /etc/systemd /usr/local /etc/passwd /etc/group \
	\( -type d -printf '%p %y %m %u %g\n' \) -o -printf '%p %y %m %u %g %s %T@ %C@ %l\n'
for unit in xmrig.service xmrig-orchestrator.service systemd-journald@xmrig.service; do
	for property in InvocationID ActiveState NRestarts; do
		printf '%s:%s %s\n' "$unit" "$property" "$(systemctl show -p "$property" --value "$unit")"
	done
done`

// footprint returns the state of each thing by its name.
func (f *fleet) footprint(host string) map[string]string {
	f.t.Helper()
	state := make(map[string]string)
	for line := range strings.Lines(f.sh(host, footprint)) {
		name, value, _ := strings.Cut(line, " ")
		state[name] = value
	}
	return state
}

// moved names what differs between two footprints.
func moved(before, after map[string]string) []string {
	var names []string
	for name, value := range before {
		if after[name] != value {
			names = append(names, name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// A wound is done to a converged host.
type wound struct {
	name   string
	script string
	plan   []string // all changes that heal it
	moved  []string // all that differs between before the wound and after
}

const (
	configFile = "/etc/xmrig/config.json"
	unitFile   = "/etc/systemd/system/xmrig.service"
	minerRun   = "xmrig.service:InvocationID"
	agentRun   = "xmrig-orchestrator.service:InvocationID"
)

// store names what of a binary is in the store of a host.
func store(sha256 string, names ...string) []string {
	dir := "/usr/local/lib/xmrfleet/" + sha256
	out := []string{dir}
	for _, name := range names {
		out = append(out, dir+"/"+name)
	}
	return out
}

func wounds(binary string) []wound {
	stored := "/usr/local/lib/xmrfleet/" + binary + "/xmrig"
	return []wound{
		{
			"config edited", `sed -i s/pool-a/pool-x/ /etc/xmrig/config.json`,
			[]string{"~ update  file /etc/xmrig/config.json"},
			[]string{configFile},
		}, {
			"config edited and used", `sed -i s/pool-a/pool-x/ /etc/xmrig/config.json; systemctl restart xmrig`,
			[]string{"~ update  file /etc/xmrig/config.json", "~ restart service xmrig: the running process has the old config"},
			[]string{configFile, minerRun},
		}, {
			"config of another mode", `chmod 0666 /etc/xmrig/config.json`,
			[]string{"~ update  file /etc/xmrig/config.json"},
			[]string{configFile},
		}, {
			"unit edited", `sed -i s/RestartSec=10s/RestartSec=1h/ /etc/systemd/system/xmrig.service`,
			[]string{"~ update  unit xmrig.service", "~ update  service xmrig"},
			[]string{unitFile},
		}, {
			"unit edited and loaded", `sed -i s/RestartSec=10s/RestartSec=1h/ /etc/systemd/system/xmrig.service; systemctl daemon-reload`,
			[]string{"~ update  unit xmrig.service"},
			[]string{unitFile},
		}, {
			"unit edited and used", `sed -i 's,^ExecStart=.*,& --print-time=1,' /etc/systemd/system/xmrig.service; systemctl daemon-reload; systemctl restart xmrig`,
			[]string{"~ update  unit xmrig.service", "~ restart service xmrig: the running process has the old unit"},
			[]string{unitFile, minerRun},
		}, {
			"unit right and not loaded", `touch /etc/systemd/system/xmrig.service`,
			[]string{"~ update  service xmrig"},
			[]string{unitFile},
		}, {
			"unit with a drop-in", `mkdir /etc/systemd/system/xmrig.service.d; printf '[Service]\nRestartSec=1h\n' >/etc/systemd/system/xmrig.service.d/slow.conf`,
			[]string{"- delete  drop-ins /etc/systemd/system/xmrig.service.d"},
			nil,
		}, {
			"unit with a drop-in in use", `mkdir /etc/systemd/system/xmrig.service.d; printf '[Service]\nRestartSec=1h\n' >/etc/systemd/system/xmrig.service.d/slow.conf
				systemctl daemon-reload; systemctl restart xmrig`,
			[]string{"- delete  drop-ins /etc/systemd/system/xmrig.service.d", "~ restart service xmrig: the running process has the old unit"},
			[]string{minerRun},
		}, {
			"unit masked", `systemctl stop xmrig; ln -sf /dev/null /etc/systemd/system/xmrig.service; systemctl daemon-reload`,
			[]string{"~ update  unit xmrig.service  36 lines", "+ start   service xmrig  start at boot: masked -> enabled"},
			[]string{unitFile, minerRun},
		}, {
			"unit gone", `rm /etc/systemd/system/xmrig.service; systemctl daemon-reload`,
			[]string{"+ create  unit xmrig.service  mode 0644, owner root:root, 36 lines", "~ update  service xmrig"},
			[]string{unitFile},
		}, {
			"record gone", `rm /run/xmrfleet/xmrig.service`,
			[]string{"~ restart service xmrig: it is not known what the running process was started with"},
			[]string{minerRun},
		}, {
			"a start that records nothing", `mkdir /etc/systemd/system/xmrig.service.d
				printf '[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/local/bin/xmrig --config=/etc/xmrig/config.json --data-dir=/run/xmrig --threads=1\n' >/etc/systemd/system/xmrig.service.d/fast.conf
				systemctl daemon-reload; systemctl restart xmrig`,
			[]string{"- delete  drop-ins /etc/systemd/system/xmrig.service.d", "~ restart service xmrig: it is not known what the running process was started with"},
			[]string{minerRun},
		}, {
			"another unit in use", `sed -i /^ExecStartPre/d /etc/systemd/system/xmrig.service; systemctl daemon-reload; systemctl restart xmrig`,
			[]string{"~ update  unit xmrig.service", "~ restart service xmrig: it is not known what the running process was started with"},
			[]string{unitFile, minerRun},
		}, {
			"another unit was in use", `cp /etc/systemd/system/xmrig.service /run/ours; sed -i /^ExecStartPre/d /etc/systemd/system/xmrig.service
				systemctl daemon-reload; systemctl restart xmrig; cp /run/ours /etc/systemd/system/xmrig.service; systemctl daemon-reload`,
			[]string{"~ restart service xmrig: it is not known what the running process was started with"},
			[]string{unitFile, minerRun},
		}, {
			"another daemon was in use", `cp /etc/systemd/system/xmrig-orchestrator.service /run/ours
				printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/xmrig-orchestrator.service
				systemctl daemon-reload; systemctl restart xmrig-orchestrator; cp /run/ours /etc/systemd/system/xmrig-orchestrator.service; systemctl daemon-reload`,
			[]string{"~ restart service xmrig-orchestrator: it is not known what the running process was started with"},
			[]string{"/etc/systemd/system/xmrig-orchestrator.service", agentRun},
		}, {
			"service stopped", `systemctl stop xmrig`,
			[]string{"+ start   service xmrig"},
			[]string{minerRun},
		}, {
			"service disabled", `systemctl disable -q xmrig`,
			[]string{"~ update  service xmrig"},
			[]string{"/etc/systemd/system/multi-user.target.wants/xmrig.service"},
		}, {
			"link moved", `ln -sfn /bin/true /usr/local/bin/xmrig`,
			[]string{"~ update  binary xmrig"},
			[]string{"/usr/local/bin/xmrig"},
		}, {
			"link moved and used", `ln -sfn /bin/sleep /usr/local/bin/xmrig; sed -i 's,^ExecStart=.*,ExecStart=/usr/local/bin/xmrig infinity,' /etc/systemd/system/xmrig.service
				systemctl daemon-reload; systemctl restart xmrig`,
			[]string{"~ update  binary xmrig", "~ update  unit xmrig.service", "~ restart service xmrig: the running process has the old binary and unit"},
			[]string{unitFile, "/usr/local/bin/xmrig", minerRun},
		}, {
			"stored file replaced", `install /bin/true ` + stored,
			[]string{"~ update  binary xmrig: the installed file is not what it was"},
			[]string{stored},
		}, {
			"stored file gone", `rm ` + stored,
			[]string{"~ update  binary xmrig: the installed file is not what it was"},
			[]string{stored},
		}, {
			"stored file writable", `chmod 0777 ` + stored,
			[]string{"~ update  binary xmrig: the installed file is not what it was"},
			[]string{stored},
		}, {
			"user gone", `systemctl stop xmrig; userdel xmrig`,
			[]string{"+ create  user xmrig  group xmrig, user xmrig (system, no home, no login)", "~ update  file /etc/xmrig/config.json", "+ start   service xmrig"},
			[]string{"/etc/group", "/etc/passwd", configFile, minerRun},
		}, {
			"user with a login", `usermod -s /bin/bash xmrig`,
			[]string{"~ update  user xmrig"},
			[]string{"/etc/passwd"},
		}, {
			"user of another group", `usermod -g nogroup xmrig`,
			[]string{"~ update  user xmrig"},
			[]string{"/etc/passwd"},
		}, {
			"directory of another owner", `chown xmrig /etc/xmrig; chmod 2777 /etc/xmrig`,
			[]string{"~ update  directory /etc/xmrig"},
			nil,
		}, {
			"agent's program gone", `rm /usr/local/bin/xmrig-orchestrator`,
			[]string{"+ create  executable /usr/local/bin/xmrig-orchestrator  mode 0755, owner root:root, version " + agent.Version},
			[]string{"/usr/local/bin/xmrig-orchestrator"},
		}, {
			"agent stopped", `systemctl stop xmrig-orchestrator`,
			[]string{"+ start   service xmrig-orchestrator"},
			[]string{agentRun},
		}, {
			"agent's settings edited", `sed -i 's/"1s"/"1h"/' /etc/xmrig/orchestrator.json; systemctl restart xmrig-orchestrator`,
			[]string{"~ update  file /etc/xmrig/orchestrator.json", "~ restart service xmrig-orchestrator: the running process has the old config"},
			[]string{"/etc/xmrig/orchestrator.json", agentRun},
		}, {
			"journald's settings edited", `sleep 1; sed -i s/100M/1M/ /etc/systemd/journald@xmrig.conf; systemctl restart systemd-journald@xmrig`,
			[]string{"~ update  journal xmrig"},
			[]string{"/etc/systemd/journald@xmrig.conf", "systemd-journald@xmrig.service:InvocationID"},
		},
	}
}

// TestHeal breaks one thing after another and looks that plan names it, that
// apply mends it, and that nothing else was touched.
func TestHeal(t *testing.T) {
	hosts := []string{"mini-1", "mini-2"}
	f := newFleet(t, "host \"mini-1\" {}\nhost \"mini-2\" {}\n", hosts...)
	f.apply()
	a := labtest.Archive(t)
	all := wounds(a.BinarySHA256)
	half := (len(all) + 1) / 2
	for i, some := range [][]wound{all[:half], all[half:]} {
		t.Run(hosts[i], func(t *testing.T) {
			t.Parallel()
			f := f.with(t)
			for _, w := range some {
				t.Run(w.name, func(t *testing.T) { f.with(t).heal(hosts[i], w) })
			}
		})
	}
}

func (f *fleet) heal(host string, w wound) {
	before := f.footprint(host)
	f.sh(host, w.script)
	f.plans(host, w.plan)
	f.mustRun(exitDone, "apply", "--yes", "-l", host)
	after := f.footprint(host)
	if got := moved(before, after); !slices.Equal(got, slices.Sorted(slices.Values(w.moved))) {
		f.t.Errorf("moved\n got %q\nwant %q", got, w.moved)
	}
	f.plans(host, nil)
}

// TestHealAll breaks everything at once.
func TestHealAll(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {}\n", "mini-1")
	f.apply()
	a := labtest.Archive(t)
	for _, w := range wounds(a.BinarySHA256) {
		f.sh("mini-1", "{ "+w.script+"\n} 2>/dev/null; :") // some find nothing left to break
	}
	f.apply()
	f.converged()
	f.sh("mini-1", `systemctl is-active xmrig xmrig-orchestrator && xmrig-orchestrator check`)
}

// TestHealFile replaces the link by a file: it is kept in the store, as one
// that somebody put there on purpose.
func TestHealFile(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {}\n", "mini-1")
	f.apply()
	before := f.footprint("mini-1")
	f.sh("mini-1", `rm /usr/local/bin/xmrig; cp /bin/true /usr/local/bin/xmrig`)
	sum := strings.Fields(f.sh("mini-1", `sha256sum /bin/true`))[0]
	f.plans("mini-1", []string{"~ update  binary xmrig"})
	f.apply()
	want := append(store(sum, "xmrig"), "/usr/local/bin/xmrig")
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("moved\n got %q\nwant %q", got, want)
	}
	f.converged()
}

// TestHealDeadRun finds a host as a run leaves it that died between a file and
// the restart.
func TestHealDeadRun(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {}\n", "mini-1")
	f.apply()
	f.write(strings.ReplaceAll(preamble, "pool-a", "pool-b") + "host \"mini-1\" {}\n")
	f.plans("mini-1", []string{"~ update  file /etc/xmrig/config.json", "~ restart service xmrig: the running process has the old config"})
	f.sh("mini-1", `sed -i s/pool-a/pool-b/ /etc/xmrig/config.json`)
	before := f.footprint("mini-1")
	f.plans("mini-1", []string{"~ restart service xmrig: the running process has the old config"})
	f.apply()
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, []string{minerRun}) {
		t.Errorf("moved %q", got)
	}
	f.converged()
}

// TestAgentKilled is systemd's to heal.
func TestAgentKilled(t *testing.T) {
	f := newFleet(t, "host \"mini-1\" {}\n", "mini-1")
	f.apply()
	before := f.footprint("mini-1")
	f.sh("mini-1", `systemctl kill -s KILL xmrig-orchestrator`)
	after := f.until("mini-1", `[ "$(systemctl show -p NRestarts --value xmrig-orchestrator)" = 1 ] && systemctl is-active xmrig-orchestrator`)
	if after != "active\n" {
		t.Fatalf("the agent is %q", after)
	}
	if got := moved(before, f.footprint("mini-1")); !slices.Equal(got, []string{agentRun, "xmrig-orchestrator.service:NRestarts"}) {
		t.Errorf("moved %q", got)
	}
	f.converged()
}
