//go:build lab

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/supply"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

// An invariant is what has to be true after each round. Broken lists where it is
// not.
type invariant struct {
	name   string
	broken func(*round) []breach
}

// A breach is what was seen on a host, or, without a host, of the fleet.
type breach struct{ host, seen string }

var invariants = []invariant{
	{"no queued command is lost", func(r *round) []breach { return r.lost }},
	{"the next apply converges", unconverged},
	{"no lock outlives its holder", lockedOut},
	{"no temporary file is left", leftFiles},
	{"what runs is what is described", undescribed},
	{"nothing is restarted in vain", restarted},
	{"the database is whole", damagedDatabases},
	{"the report says what is so", falseReports},
}

func unconverged(r *round) []breach {
	last := r.healed[len(r.healed)-1]
	if last.code != exitDone {
		return []breach{{"", fmt.Sprintf("%d applies do not: %s", len(r.healed), tail(last.String()))}}
	}
	var broken []breach
	if len(r.healed) > 1 && !r.fault.boot && r.healed[0].code != exitLocked {
		broken = append(broken, breach{"", "only the next but one: " + tail(r.healed[0].String())})
	}
	if o := r.fleet.run("plan", "--detailed-exitcode"); o.code != exitDone {
		broken = append(broken, breach{"", "the plan is not empty: " + tail(o.String())})
	}
	return broken
}

func lockedOut(r *round) []breach {
	if o := r.healed[0]; o.code == exitLocked {
		return []breach{{"", fmt.Sprintf("after %v: %s", o.took(), tail(o.String()))}}
	}
	return r.onHosts(func(host string) string {
		return r.awaited(host, `flock -n /run/xmrfleet/lock true || { cat /run/xmrfleet/holder; exit 1; }`)
	})
}

// onHosts collects what is seen on each host.
func (r *round) onHosts(look func(host string) string) []breach {
	var broken []breach
	for _, host := range campaignHosts {
		if seen := look(host); seen != "" {
			broken = append(broken, breach{host, seen})
		}
	}
	return broken
}

// settles is how long things may take that nobody has to wait for.
const settles = 40 * time.Second

// awaited runs a script on a host until it succeeds. If it never does, it returns
// what was seen last.
func (r *round) awaited(host, script string, args ...string) string {
	for end := time.Now().Add(settles); ; time.Sleep(100 * time.Millisecond) {
		result, err := r.lab.Host(host).Exec(r.t.Context(), append([]string{"sh", "-c", script, "sh"}, args...)...)
		switch {
		case err == nil && result.Code == 0:
			return ""
		case time.Now().After(end):
			return fmt.Sprintf("%s%s %v", result.Stdout, result.Stderr, err)
		}
	}
}

// ourFiles succeeds if none of the files is on the host that exist only while
// something is written.
const ourFiles = `
left=$(
	find /etc /usr/local /var/lib/xmrig-orchestrator /tmp /var/tmp \( -name '.xmrfleet.*' -o -name .new -o -name .archive -o -name '*.new' \) 2>/dev/null
	find /run/xmrfleet -type f ! -name lock ! -name agent.lock ! -name agent.json ! -name xmrig.service ! -name xmrig-orchestrator.service ! -name '*.silent'
)
[ -z "$left" ] || { ls -la --time-style=full-iso $left; exit 1; }`

func leftFiles(r *round) []breach {
	return r.onHosts(func(host string) string { return r.awaited(host, ourFiles) })
}

// A sight is what a host is, without a look at what we note there.
type sight map[string]string

// lookAt prints a sight. Times are in seconds since 1970.
const lookAt = `
look() {
	unit=$1 file=$2
	systemctl show -p ActiveState -p SubState -p MainPID -p InvocationID -p UnitFileState "$unit" | sed "s/^/$unit /"
	for file in "$file" "/etc/systemd/system/$unit.service"; do
		echo "$unit ${file##*.}=$(sha256sum <"$file" | cut -d' ' -f1)"
		echo "$unit ${file##*.} changed=$(stat -c %.6Z "$file")"
	done
	pid=$(systemctl show -p MainPID --value "$unit")
	[ "$pid" != 0 ] || return 0
	echo "$unit Started=$(date -d "$(systemctl show -p ExecMainStartTimestamp --value --timestamp=us+utc "$unit")" +%s.%6N)"
	echo "$unit Program=$(sha256sum <"/proc/$pid/exe" | cut -d' ' -f1)"
	echo "$unit Line=$(tr '\0' ' ' <"/proc/$pid/cmdline")"
}
look xmrig /etc/xmrig/config.json 2>/dev/null
look xmrig-orchestrator /etc/xmrig/orchestrator.json 2>/dev/null
`

// invocations are the checksums of the configuration and of the unit's file that
// each run of a unit was started with.
type invocations map[string]startedWith

type startedWith struct{ config, unit string }

// look sees all hosts.
func (r *round) look() map[string]sight {
	sights := make(map[string]sight)
	for _, host := range campaignHosts {
		sights[host] = r.see(host, "")
	}
	return sights
}

// see looks at a host and runs a script right after that. A run that began after
// its configuration and its unit were written last was started with these.
func (r *round) see(host, script string, args ...string) sight {
	r.t.Helper()
	s := make(sight)
	for line := range strings.Lines(r.sh(host, lookAt+script, args...)) {
		name, value, _ := strings.Cut(strings.TrimRight(line, " \n"), "=")
		s[name] = value
	}
	for _, unit := range []string{"xmrig", "xmrig-orchestrator"} {
		started, err1 := strconv.ParseFloat(s[unit+" Started"], 64)
		config, err2 := strconv.ParseFloat(s[unit+" json changed"], 64)
		file, err3 := strconv.ParseFloat(s[unit+" service changed"], 64)
		if errors.Join(err1, err2, err3) == nil && max(config, file) <= started {
			r.known[s[unit+" InvocationID"]] = startedWith{s[unit+" json"], s[unit+" service"]}
		}
	}
	return s
}

// A described process is what a unit's process should be.
type describedProcess struct {
	program, line string
	started       startedWith
	file          string // "enabled", "disabled", or "" for a unit that is not there
}

// described are the processes that a host should have, by unit, as the fleet file
// and README.md say it.
func (r *round) described(host string) map[string]describedProcess {
	w, state := r.want, r.want.states[host]
	if state == "absent" {
		return map[string]describedProcess{"xmrig": {}, "xmrig-orchestrator": {}}
	}
	files := r.files(host)
	ours := map[string]describedProcess{
		"xmrig": {file: "disabled"},
		"xmrig-orchestrator": {file: "enabled", program: supply.Agents()["amd64"].SHA256, line: agent.Binary + " run",
			started: startedWith{files[agent.SettingsFile], files["/etc/systemd/system/"+agent.Unit]}},
	}
	if state == "running" {
		ours["xmrig"] = describedProcess{file: "enabled", program: r.releases[w.version].BinarySHA256,
			line:    "/usr/local/bin/xmrig --config=/etc/xmrig/config.json --data-dir=/run/xmrig",
			started: startedWith{files[configFile], files[unitFile]}}
	}
	return ours
}

// files are the checksums of the described files of a host, by their paths.
func (r *round) files(host string) map[string]string {
	fleet, diags := hcl.Load(filepath.Join(r.dir, "fleet.hcl"), hcl.Options{Env: func(name string) (string, bool) {
		value, ok := r.env[name]
		return value, ok
	}})
	if fleet == nil {
		r.t.Fatal(diags)
	}
	sums := make(map[string]string)
	for _, h := range fleet.Hosts {
		if h.Name != host {
			continue
		}
		for _, f := range modules.Render(h.Miner.Resources()) {
			sums[f.Path] = sum256(f.Text)
		}
		for _, resource := range h.Miner.Resources() { // masks write some files anew
			v := reflect.ValueOf(resource)
			if embedded := v.FieldByName("File"); embedded.IsValid() {
				v = embedded
			}
			if f, ok := v.Interface().(modules.File); ok {
				sums[f.Path] = sum256(string(f.Content))
			}
		}
	}
	return sums
}

func sum256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// differs says what of a unit's process is not as described, or "".
func (r *round) differs(s sight, unit string, want describedProcess) string {
	started := r.known[s[unit+" InvocationID"]]
	if s[unit+" MainPID"] == "0" || s[unit+" Program"] == "" {
		s, started = sight{unit + " UnitFileState": s[unit+" UnitFileState"]}, startedWith{}
	}
	var words []string
	for _, c := range []struct{ what, have, want string }{
		{"program", s[unit+" Program"], want.program},
		{"command line", s[unit+" Line"], want.line},
		{"configuration", started.config, want.started.config},
		{"unit", started.unit, want.started.unit},
		{"start at boot", s[unit+" UnitFileState"], want.file},
	} {
		if c.have != c.want {
			words = append(words, fmt.Sprintf("%s: %s of %q, want %q", unit, c.what, c.have, c.want))
		}
	}
	return strings.Join(words, "; ")
}

func undescribed(r *round) []breach {
	return r.onHosts(func(host string) string {
		var words []string
		for unit, want := range r.described(host) {
			if text := r.differs(r.left[host], unit, want); text != "" {
				words = append(words, text)
			}
		}
		if r.want.states[host] == "absent" {
			if left := difference(r.bare[host], r.sh(host, paths)); left != "" {
				words = append(words, "absent leaves "+left)
			}
		}
		if words == nil {
			return ""
		}
		return fmt.Sprintf("%s\nseen: %v", strings.Join(words, "\n"), r.left[host])
	})
}

// restarted finds processes that were as described before the healing and were
// replaced in it. A command in the queue may replace one at any time.
func restarted(r *round) []breach {
	return r.onHosts(func(host string) string {
		if len(r.commands[host]) > 0 {
			return ""
		}
		for unit, want := range r.described(host) {
			before, after := r.met[host], r.left[host]
			if want.program != "" && r.differs(before, unit, want) == "" && before[unit+" InvocationID"] != after[unit+" InvocationID"] {
				return fmt.Sprintf("%s was as described: %v, and is now %v\n%s", unit, before, after, tail(r.healed[0].String()))
			}
		}
		return ""
	})
}

var commandNumber = regexp.MustCompile(`^command (\d+):`)

// enqueue gives commands to the agents of some hosts, such as lead to what the
// apply wants. A host that is given too many refuses them.
func (r *round) enqueue() {
	for _, host := range campaignHosts {
		if r.source.IntN(4) > 0 || r.was.states[host] == "absent" || r.want.states[host] == "absent" {
			continue
		}
		actions := []string{"stop", "restart"}[r.source.IntN(2):]
		if r.want.states[host] == "stopped" {
			actions = []string{"stop"}
		}
		for _, action := range actions {
			said := r.sh(host, `xmrig-orchestrator enqueue "$1" --reason campaign || :`, action)
			if found := commandNumber.FindStringSubmatch(said); found != nil {
				n, _ := strconv.Atoi(found[1]) // no error: digits
				r.commands[host] = append(r.commands[host], n)
			}
		}
	}
}

// sqlite runs sqlite3 of this machine on a host's database.
func (r *round) sqlite(host, query string) (string, error) {
	cmd := exec.Command("sqlite3", "-bail", r.file(host, agent.Database))
	cmd.Stdin = strings.NewReader(".timeout 20000\n" + query + ";\n")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// work waits until the agents have done their commands, and returns those that
// they do not.
func (r *round) work() []breach {
	return r.onHosts(func(host string) string {
		if r.other != nil && r.other.states[host] == "absent" {
			return "" // the queue went with the agent
		}
		for _, n := range r.commands[host] {
			var seen string
			for end := time.Now().Add(settles); ; time.Sleep(100 * time.Millisecond) {
				out, err := r.sqlite(host, fmt.Sprintf("SELECT status, COALESCE(error_message, '') FROM xmrig_commands WHERE id = %d", n))
				if status, why, _ := strings.Cut(out, "|"); err == nil && (status == "completed" || status == "failed" && why != "") {
					break
				}
				seen = fmt.Sprintf("command %d is %q %v", n, out, err)
				if time.Now().After(end) {
					return seen
				}
			}
		}
		return ""
	})
}

func damagedDatabases(r *round) []breach {
	return r.onHosts(func(host string) string {
		if _, err := os.Stat(r.file(host, agent.Database)); err != nil {
			if r.want.states[host] == "absent" {
				return ""
			}
			return err.Error()
		}
		if out, err := r.sqlite(host, "PRAGMA integrity_check"); out != "ok" {
			return fmt.Sprintf("%s %v", out, err)
		}
		return ""
	})
}

// falseReports compares what the apply said of each host with what the healing
// found there. What the fault did to a host after the last change, or what a
// queued command did, the apply did not know.
func falseReports(r *round) []breach {
	return r.onHosts(func(host string) string {
		var result string
		var at time.Time // of the last change
		for _, l := range r.client.lines {
			switch {
			case l.Host != host:
			case l.Type == "apply_progress":
				at = l.at()
			case l.Type == "host_summary":
				result = l.Result
			}
		}
		if !r.harmed[host].IsZero() && !r.harmed[host].Before(at) || len(r.commands[host]) > 0 {
			return ""
		}
		switch result {
		case "converged", "unchanged":
			if slices.ContainsFunc(r.healed[0].lines, func(l jsonLine) bool { return l.Host == host && l.Type == "planned_change" }) {
				return fmt.Sprintf("it is said to be %s, and is to be changed: %s", result, tail(r.healed[0].stdout))
			}
		case "untouched":
			if names := moved(r.prints[0][host], r.prints[1][host]); names != nil {
				return fmt.Sprintf("it is said to be untouched, and moved: %q", names)
			}
		}
		return ""
	})
}
