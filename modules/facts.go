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
	BootID    string

	// XMRigs are the xmrig binaries found on the host, in the order in which
	// they were looked for.
	XMRigs []FoundBinary

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
}

// FactsProbe reads Facts. ParseFacts understands its output.
func FactsProbe() Command { return Command{Script: factsProbe} }

const factsProbe = `
say() { printf '%s=%s\n' "$1" "$2"; }
say hostname "$(uname -n)"
say kernel "$(uname -r)"
say arch "$(uname -m)"
say os "$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")"
[ ! -d /run/systemd/system ] || say systemd "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
say threads "$(nproc)"
say memory "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
[ ! -e /sys/fs/selinux/enforce ] || say selinux yes
say boot "$(cat /proc/sys/kernel/random/boot_id)"
sed -n '
	/^[[:space:]]*Environment[[:space:]]*=/!d
	s/.*[[:space:]=]"XMRIG_DB_PATH=\([^"]*\)".*/database=\1/p; t
	s/.*[[:space:]=]'\''XMRIG_DB_PATH=\([^'\'']*\)'\''.*/database=\1/p; t
	s/.*[[:space:]=]XMRIG_DB_PATH="\([^"]*\)".*/database=\1/p; t
	s/.*[[:space:]=]XMRIG_DB_PATH=\([^[:space:]]*\).*/database=\1/p' \
	/etc/systemd/system/xmrig-orchestrator.service \
	/etc/systemd/system/xmrig-orchestrator.service.d/*.conf 2>/dev/null | tail -n 1
seen=' '
for found in "$(command -v xmrig)" /usr/local/bin/xmrig /usr/bin/xmrig /opt/xmrig*/xmrig /opt/xmrig*/build/xmrig \
	/home/*/xmrig /home/*/xmrig*/xmrig /home/*/xmrig*/build/xmrig /root/xmrig*/xmrig; do
	real=$(readlink -f "$found") && [ -f "$real" ] && [ -x "$real" ] || continue
	case $found$real in *[[:cntrl:]]*) continue ;; esac
	case $seen in *" $real "*) continue ;; esac
	seen="$seen$real "
	sum=$(sha256sum <"$real")
	protected=yes
	path=$real
	while [ -n "$path" ]; do
		[ -n "$(find "$path" -prune -user root ! -perm /022)" ] || protected=no
		path=${path%/*}
	done
	printf 'xmrig=%s %s %s\t%s\n' "${sum%% *}" "$protected" "$found" "$real"
done
:`

var foundLine = regexp.MustCompile(`^([0-9a-f]{64}) (yes|no) (.*)\t(.*)$`)

// ParseFacts reads what FactsProbe printed. Lines that it does not know are
// ignored; the error says that it was not the output of FactsProbe.
func ParseFacts(probed string) (Facts, error) {
	var f Facts
	for line := range strings.Lines(probed) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "hostname":
			f.Hostname = value
		case "kernel":
			f.Kernel = value
		case "arch":
			f.Arch = value
		case "os":
			f.OS = value
		case "systemd":
			f.Systemd, _ = strconv.Atoi(value)
		case "threads":
			f.Threads, _ = strconv.Atoi(value)
		case "memory":
			f.MemoryKiB, _ = strconv.ParseInt(value, 10, 64)
		case "selinux":
			f.SELinux = value == "yes"
		case "boot":
			f.BootID = value
		case "database":
			f.AgentDatabase = value
		case "xmrig":
			if m := foundLine.FindStringSubmatch(value); m != nil {
				f.XMRigs = append(f.XMRigs, FoundBinary{SHA256: m[1], Protected: m[2] == "yes", Path: m[3], Real: m[4]})
			}
		}
	}
	if f.Arch == "" || f.Hostname == "" {
		return f, fmt.Errorf("read facts: unexpected answer %q", firstLine(probed))
	}
	return f, nil
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
