package modules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Facts are what a host says of itself, read in the same exec as all probes.
type Facts struct {
	Hostname  string // uname -n
	OS        string // PRETTY_NAME of os-release
	Kernel    string // uname -r
	Arch      string // uname -m
	Systemd   int    // version of systemd; 0 where PID 1 is something else
	Threads   int
	MemoryKiB int64
	SELinux   bool
	MachineID string // of /etc/machine-id; clones of one disk share it
	BootID    string // containers of one kernel share it

	// XMRigs are the xmrig binaries found on the host, in the order in which
	// they were looked for.
	XMRigs []FoundBinary

	// Agent is the version of the health agent that runs, or ran last in this
	// boot; empty where none did.
	Agent string

	// AgentDatabase is XMRIG_DB_PATH of an installed agent's unit, if any.
	AgentDatabase string
}

// A FoundBinary is an xmrig executable on the host.
type FoundBinary struct {
	Path   string // where it was found
	Real   string // the same with all links resolved
	SHA256 string

	// Protected is set where only root can change or replace the file.
	Protected bool

	// Version is what it called itself when it was put into our store; empty
	// elsewhere: what others own is not run to ask it.
	Version string
}

// FactsProbe reads Facts. ParseFacts understands its output.
func FactsProbe() Command { return Command{Script: factsProbe} }

// factsProbe forks as little as it can. Of what others wrote, it prints words
// that are of the form expected, and nothing else: an echo of dash reads escapes.
// The sha256 of a binary in our store is taken from its path: what is really
// there is for Binary to find out. The specification's daemon is a Ruby script,
// with a database of its own where its unit names none.
const factsProbe = `
echo "uname=$(uname -nrm)"
echo "os=$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")"
[ ! -d /run/systemd/system ] || { printf systemd=; systemctl --version; }
echo "threads=$(nproc)"
while read -r key value unit; do
	[ "$key" != MemTotal: ] || { echo "memory=$value"; break; }
done </proc/meminfo
[ ! -e /sys/fs/selinux/enforce ] || echo selinux=yes
[ ! -r /etc/machine-id ] || { read -r machine && echo "machine=$machine"; } </etc/machine-id
read -r boot </proc/sys/kernel/random/boot_id && echo "boot=$boot"
if [ -r /run/xmrfleet/agent.json ] && IFS= read -r self </run/xmrfleet/agent.json; then
	self=${self#*'"version":"'}
	self=${self%%'"'*}
	case $self in '' | *[!0-9A-Za-z.+-]*) ;; *) echo "agent=$self" ;; esac
fi
daemon=/usr/local/bin/xmrig-orchestrator
[ ! -f "$daemon" ] || IFS= read -r first <"$daemon"
case $first in '#!'*ruby*) echo 'environment=Environment=XMRIG_DB_PATH=/mnt/rails-storage/production.sqlite3' ;; esac
for unit in /etc/systemd/system/xmrig-orchestrator.service /etc/systemd/system/xmrig-orchestrator.service.d/*.conf; do
	[ -f "$unit" ] || continue
	while IFS= read -r line; do
		case $line in *XMRIG_DB_PATH=*) echo "environment=$line" ;; esac
	done <"$unit"
done
owners() {
	path=$1
	while path=${path%/*} && [ -n "$path" ]; do set -- "$@" "$path"; done
	stat --printf '%U:%a,' "$@"
}
seen=' '
for found in "$(command -v xmrig)" /usr/local/bin/xmrig /usr/bin/xmrig /opt/xmrig*/xmrig /opt/xmrig*/build/xmrig \
	/home/*/xmrig /home/*/xmrig*/xmrig /home/*/xmrig*/build/xmrig /root/xmrig*/xmrig; do
	[ -f "$found" ] && [ -x "$found" ] || continue
	real=$(readlink -f "$found")
	case $found$real in *[[:cntrl:]]*) continue ;; esac
	case $seen in *" $real "*) continue ;; esac
	seen="$seen$real "
	sum=${real#/usr/local/lib/xmrfleet/}
	case $sum in
	"$real") sum=$(sha256sum <"$real"); sum=${sum%% *}; owners=$(owners "$real") ;;
	*) sum=${sum%/xmrig}; owners=root:755, ;;
	esac
	version=
	[ ! -f "${real%/*}/version" ] || [ "$owners" != root:755, ] || read -r version <"${real%/*}/version"
	printf 'xmrig=%s %s %s\t%s\t%s\n' "$sum" "$owners" "$found" "$real" "$version"
done
:`

var foundLine = regexp.MustCompile(`^([0-9a-f]{64}) (\S+) (.*)\t(.*)\t([0-9A-Za-z.+-]*)$`)

var machineID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// onlyRoots are the owners and modes of a path and of all that leads to it,
// where nobody but root can change or replace it.
var onlyRoots = regexp.MustCompile(`^(root:[0-7]*[0145][0145],)+$`)

// databaseIn finds XMRIG_DB_PATH in an Environment= line of a unit, whatever
// is quoted in it: systemd.exec(5).
var databaseIn = regexp.MustCompile(`^\s*Environment\s*=(?:.*\s)?(?:"XMRIG_DB_PATH=([^"]*)"|'XMRIG_DB_PATH=([^']*)'|XMRIG_DB_PATH=(?:"([^"]*)"|([^"'\s]*)))`)

// ParseFacts reads what FactsProbe printed. Lines that it does not know are
// ignored; the error says that it was not the output of FactsProbe.
func ParseFacts(probed string) (Facts, error) {
	var f Facts
	for line := range strings.Lines(probed) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "uname":
			if w := strings.Fields(value); len(w) == 3 {
				f.Hostname, f.Kernel, f.Arch = w[0], w[1], w[2]
			}
		case "os":
			f.OS = value
		case "systemd":
			fmt.Sscanf(value, "systemd %d", &f.Systemd)
		case "threads":
			f.Threads, _ = strconv.Atoi(value)
		case "memory":
			f.MemoryKiB, _ = strconv.ParseInt(value, 10, 64)
		case "selinux":
			f.SELinux = value == "yes"
		case "machine":
			if machineID.MatchString(value) { // not "uninitialized"
				f.MachineID = value
			}
		case "boot":
			f.BootID = value
		case "agent":
			f.Agent = value
		case "environment":
			if m := databaseIn.FindStringSubmatch(value); m != nil {
				f.AgentDatabase = m[1] + m[2] + m[3] + m[4]
			}
		case "xmrig":
			if m := foundLine.FindStringSubmatch(value); m != nil {
				f.XMRigs = append(f.XMRigs, FoundBinary{SHA256: m[1], Protected: onlyRoots.MatchString(m[2]), Path: m[3], Real: m[4], Version: m[5]})
			}
		}
	}
	if f.Arch == "" || f.Hostname == "" {
		return f, fmt.Errorf("read facts: unexpected answer %q", firstLine(probed))
	}
	return f, nil
}

// SameMachine reports whether two hosts are proven to be one.
func (f Facts) SameMachine(other Facts) bool {
	return f.MachineID != "" && f.BootID != "" && f.MachineID == other.MachineID && f.BootID == other.BootID
}

// oldestSystemd is the first version with journal namespaces: systemd.exec(5),
// LogNamespace=.
const oldestSystemd = 245

// Supported says why this host cannot be managed, or nil.
func (f Facts) Supported() error {
	switch {
	case f.Systemd == 0:
		return fmt.Errorf("host %s (%s): PID 1 is not systemd; xmrfleet manages Linux hosts with systemd %d or later", f.Hostname, f.OS, oldestSystemd)
	case f.Systemd < oldestSystemd:
		return fmt.Errorf("host %s (%s): systemd %d is too old; xmrfleet needs %d or later", f.Hostname, f.OS, f.Systemd, oldestSystemd)
	case f.GOARCH() == "":
		return fmt.Errorf("host %s: architecture %s is not supported; xmrfleet manages x86_64 and aarch64", f.Hostname, f.Arch)
	}
	return nil
}

// GOARCH is the host's architecture as Go calls it, or "".
func (f Facts) GOARCH() string {
	switch f.Arch {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
