package modules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// minerUnit is the miner's unit, whose Diff also tells what a unit that it takes
// the place of had and it has not.
type minerUnit struct{ Unit }

func (u minerUnit) Diff(probed string, facts Facts) (Change, error) {
	c, err := u.Unit.Diff(probed, facts)
	if old, perr := parseFile(probed); err == nil && c.Action == Update && perr == nil && old.read {
		c.Warnings = append(c.Warnings, losses(old.content)...)
	}
	return c, err
}

// minerDropIns is the absence of drop-ins of the miner's unit. Its Diff also
// tells what they gave to the miner.
type minerDropIns struct{ Absent }

const dropInsProbe = absentProbe + `
cat "$1"/*.conf 2>/dev/null
:`

func (d minerDropIns) Probe() Command {
	return Command{Script: dropInsProbe, Args: d.Absent.Probe().Args}
}

func (d minerDropIns) Diff(probed string, facts Facts) (Change, error) {
	c, err := d.Absent.Diff(probed, facts)
	if err == nil && c.Action == Delete {
		c.Warnings = append(c.Warnings, settingLosses("the drop-ins", directives(probed, "Service"))...)
	}
	return c, err
}

// A loss is a setting of units that makes a miner what it is on a host, and that
// our unit has not.
type loss struct {
	keys   []string // its directives: systemd.exec(5), systemd.resource-control(5)
	effect string   // of losing it
	keep   string   // what keeps it; empty: nothing does yet
}

const noSetting = "fleet.hcl has no setting for it yet"

var unitLosses = []loss{
	{[]string{"CPUAffinity", "AllowedCPUs", "NUMAPolicy", "NUMAMask", "AllowedMemoryNodes"},
		"the miner may use every CPU", "xmrig { config = { cpu = { rx = [0, 2] } } } binds a thread to each of these CPUs"},
	{[]string{"CPUQuota", "CPUWeight", "CPUShares", "Slice"},
		"nothing but its threads bounds its CPU time", "xmrig { max_threads_hint = 50 } bounds the threads"},
	{[]string{"Nice", "CPUSchedulingPolicy", "CPUSchedulingPriority", "IOSchedulingClass", "IOWeight"},
		"other programs may get less of the CPU, or more", "xmrig { priority = 0 } to 5, idle to highest"},
	{[]string{"MemoryMax", "MemoryHigh", "MemoryLimit", "OOMScoreAdjust"}, "its memory is bounded by the host alone", ""},
	{[]string{"LimitMEMLOCK", "LimitNOFILE", "LimitRTPRIO", "LimitAS", "LimitCORE", "TasksMax"}, "the defaults of systemd hold", ""},
	{[]string{"Environment", "EnvironmentFile", "PassEnvironment"}, "the miner does not get these variables", ""},
	{[]string{"ExecStartPre", "ExecStartPost", "ExecStopPost", "ExecCondition"},
		"nobody runs it any more", "put it into a unit of your own with Before=xmrig.service"},
	{[]string{"StandardOutput", "StandardError"}, "the log goes to the journal: `xmrfleet logs`; the old file stays where it is", ""},
}

// flagLosses are flags of XMRig, by the line that keeps them.
var flagLosses = map[string]string{
	"--threads": "xmrig { config = { cpu = { rx = ... } } } or max_threads_hint", "-t": "xmrig { config = { cpu = { rx = ... } } } or max_threads_hint",
	"--cpu-affinity":         "xmrig { config = { cpu = { rx = [0, 2] } } }",
	"--cpu-priority":         "xmrig { priority = 0 }",
	"--cpu-max-threads-hint": "xmrig { max_threads_hint = 50 }",
	"--cpu-no-yield":         "xmrig { config = { cpu = { yield = false } } }",
	"--no-huge-pages":        "xmrig { huge_pages = false }",
	"--donate-level":         "xmrig { donate_level = 1 }",
	"--randomx-1gb-pages":    `xmrig { config = { randomx = { "1gb-pages" = true } } }`,
	"--randomx-wrmsr":        "xmrig { config = { randomx = { wrmsr = ... } } }, which needs root",
	"--randomx-no-numa":      "xmrig { config = { randomx = { numa = false } } }",
	"--randomx-mode":         "xmrig { config = { randomx = { mode = ... } } }",
	"--url":                  "pool { url = ... }", "-o": "pool { url = ... }",
	"--user": "wallet, or pool { user = ... }", "-u": "wallet, or pool { user = ... }",
	"--pass": "pool { pass = ... }", "-p": "pool { pass = ... }",
	"--http-port": "xmrig { http_port = 8080 }",
}

// losses says of a unit's text what a miner had by it and has not by ours, with
// what that may cost and the line of fleet.hcl that keeps it.
func losses(old string) []string {
	const holder = "the old unit"
	service := directives(old, "Service")
	var all []string
	if user := last(service["User"]); (user == "" || user == "root" || user == "0") && last(service["DynamicUser"]) == "" {
		all = append(all, lost(holder, "no User= of its own", "a miner that ran as root cannot write MSR registers nor reserve huge pages any more, which may cost a tenth of the hashrate or more",
			"reserve huge pages with sysctl vm.nr_hugepages; for MSR "+noSetting))
	}
	return append(all, settingLosses(holder, service)...)
}

func lost(holder, had, effect, keep string) string {
	return fmt.Sprintf("%s had %s: %s; to keep it: %s", holder, had, effect, cmp.Or(keep, noSetting))
}

// settingLosses are those of the settings of a [Service] section.
func settingLosses(holder string, service map[string][]string) []string {
	var all []string
	add := func(had, effect, keep string) { all = append(all, lost(holder, had, effect, keep)) }
	if caps := strings.Join(append(service["AmbientCapabilities"], service["CapabilityBoundingSet"]...), " "); strings.Contains(caps, "CAP_SYS_RAWIO") {
		add("CAP_SYS_RAWIO", "the miner cannot write MSR registers any more, which may cost a tenth of the hashrate or more", "")
	}
	for _, l := range unitLosses {
		for _, key := range l.keys {
			for _, value := range service[key] {
				if !ours(key, value) {
					add(key+"="+shownValue(key, value), l.effect, l.keep)
				}
			}
		}
	}
	for _, flag := range flags(last(service["ExecStart"])) {
		keep, known := flagLosses[flag]
		if !known {
			keep = "xmrig { config = ... } has a key for most flags"
		}
		add(flag+" on its command line", "config.json alone says what the miner does", keep)
	}
	return all
}

// shownValue is what may be read of a directive's value: of variables the names,
// of commands the program.
func shownValue(key, value string) string {
	switch {
	case key == "Environment":
		return maskUnitLine("Environment=" + value)[len("Environment="):]
	case strings.HasPrefix(key, "Exec"):
		program, _, _ := strings.Cut(value, " ")
		return program
	}
	return value
}

// ours reports whether a directive is what our unit has as well.
func ours(key, value string) bool {
	switch key {
	case "ExecStartPre":
		return strings.Contains(value, "/run/xmrfleet")
	case "Environment":
		return value == "HOME=/run/xmrig"
	case "StandardOutput", "StandardError":
		return !strings.Contains(value, ":")
	}
	return false
}

// flags are those of a command line, without their values, and without those
// that our unit has.
func flags(line string) []string {
	var all []string
	for _, word := range strings.Fields(line) {
		name, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(name, "-") && !slices.Contains([]string{"--config", "-c", "--data-dir", "-d"}, name) {
			all = append(all, name)
		}
	}
	return all
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// directives reads a section of a unit. An empty value forgets those before it,
// and a line that ends in a backslash goes on: systemd.syntax(7).
func directives(unit, section string) map[string][]string {
	found := make(map[string][]string)
	in := ""
	for _, line := range strings.Split(strings.ReplaceAll(unit, "\\\n", " "), "\n") {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			in = strings.TrimSuffix(name, "]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || in != section || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if value == "" {
			delete(found, key)
			continue
		}
		found[key] = append(found[key], value)
	}
	return found
}
