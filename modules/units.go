package modules

import (
	"path"
	"strconv"
	"strings"

	"xmrfleet/modules/agent"
)

// Where the miner is on a host.
const (
	minerUser   = "xmrig"
	minerBinary = "/usr/local/bin/xmrig"
	minerStore  = "/usr/local/lib/xmrfleet"
	minerConfig = agent.MinerConfig
	configDir   = "/etc/xmrig"
	logName     = "xmrig" // of the journal namespace
)

// journalText keeps seven days, as the specification wants for its log files.
// XMRig writes nothing to a file that systemd opened (XMRig source,
// ConsoleLog.cpp:93), so the journal it is.
const journalText = `[Journal]
Storage=persistent
SystemMaxUse=100M
MaxRetentionSec=7day
MaxFileSec=1day
`

// MemoryDenyWriteExecute= must stay off: XMRig patches its own code before
// main and would die without a word (XMRig source, CnHash.cpp:157). AF_NETLINK
// is where its id comes from. --data-dir is an empty directory, so that a
// broken config ends the process with status 2, for good, and no other
// config.json is ever picked up (XMRig source, Base.cpp:121).
const minerText = `[Unit]
Description=XMRig miner
Documentation=https://xmrig.com/docs
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=xmrig
Group=xmrig
RuntimeDirectory=xmrig
Environment=HOME=/run/xmrig
ExecStartPre=RECORD
ExecStart=/usr/local/bin/xmrig --config=/etc/xmrig/config.json --data-dir=/run/xmrig
Restart=always
RestartSec=10s
RestartPreventExitStatus=2
TimeoutStopSec=10s
LogNamespace=xmrig
NICE
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK

[Install]
WantedBy=multi-user.target
`

// minerUnit is xmrig.service and the revision that it records.
func (m Miner) minerUnit() (Unit, string) {
	nice := ""
	if p := m.XMRig.Priority; p != nil && *p >= 3 {
		// Priorities 3, 4, 5 are nice -5, -10, -15 (XMRig source, Platform_unix.cpp).
		nice = "LimitNICE=" + strconv.Itoa(10-5**p) + "\n"
	}
	text := strings.Replace(minerText, "NICE\n", nice, 1)
	return recording(agent.MinerUnit, text, minerConfig, minerBinary)
}

// Root is needed for systemctl, and whom systemd takes for root can have it do
// anything: what is taken from the agent confines its faults, not an intruder.
// Of its capabilities, the first two are those that SQLite takes to keep a
// database of another user writable for that user. The third is to see whose
// the port of the miner's API is, proc(5), /proc/PID/fd; it would do for the
// memory of other processes too. Nobody here sets a priority, so @resources is
// refused; a call that is refused gets an error in place of ending the agent.
const agentText = `[Unit]
Description=XMRig health agent
After=network.target xmrig.service
MOUNT

[Service]
Type=notify
ExecStartPre=RECORD
ExecStart=/usr/local/bin/xmrig-orchestrator run
Restart=always
RestartSec=10s
WatchdogSec=60s
TimeoutStopSec=10s
LogNamespace=xmrig
StateDirectory=xmrig-orchestrator
StateDirectoryMode=0750
Environment=GOMAXPROCS=1
UMask=0022
MemoryHigh=24M
MemoryMax=48M

NoNewPrivileges=yes
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_SYS_PTRACE
ProtectSystem=strict
ReadWritePaths=-/run/xmrfleet
DATABASE
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

[Install]
WantedBy=multi-user.target
`

// agentUnit is xmrig-orchestrator.service and the revision that it records.
func (m Miner) agentUnit() (Unit, string) {
	mount, access := "", "ProtectHome=yes\n"
	if db := m.Agent.Database; db != "" {
		dir := quoteUnit(path.Dir(db))
		mount = "RequiresMountsFor=" + dir + "\n"
		if strings.HasPrefix(db, "/home/") || strings.HasPrefix(db, "/root/") {
			access = "ProtectHome=no\n"
		}
		access += "ReadWritePaths=-" + dir + "\n"
	}
	text := strings.NewReplacer("MOUNT\n", mount, "DATABASE\n", access).Replace(agentText)
	return recording(agent.Unit, text, agent.SettingsFile, agent.Binary)
}

// recording writes the unit's own revision into its text. What it returns
// beside the unit is what the unit will record of itself.
func recording(name, text, config, binary string) (Unit, string) {
	rev := revision(text)
	text = strings.Replace(text, "RECORD", recordCommand(name, rev, config, binary), 1)
	return Unit{Name: name, Text: text}, rev + " " + sum256([]byte(text))
}

// quoteUnit quotes a value for a unit file: systemd.syntax(7).
func quoteUnit(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`
}
