// Package agent is the contract between xmrfleet and the health agent on the
// hosts: where things are on a host, the agent's settings file, and the JSON that
// its commands print.
//
// Both programs link it, so it holds plain types and imports nothing but the
// standard library. The two may be of different versions: a reader ignores
// fields that it does not know. So a new field needs no new version, and must
// mean by its absence what was true before. A field that changes its meaning
// needs one: StatusVersion, HistoryVersion.
package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Where things are on a host. The names are those of the specification, so that
// the agent takes the place of an older daemon.
const (
	Binary       = "/usr/local/bin/xmrig-orchestrator"
	SettingsFile = "/etc/xmrig/orchestrator.json"
	StateDir     = "/var/lib/xmrig-orchestrator"
	Database     = StateDir + "/orchestrator.sqlite3"
	Unit         = "xmrig-orchestrator.service"
	MinerUnit    = "xmrig.service"

	// RunDir holds Lock, and the records of what each unit was started with.
	// It belongs to root and is world-readable.
	RunDir = "/run/xmrfleet"
	// Lock is locked with flock(2) by whoever changes the host.
	Lock = RunDir + "/lock"
	// DaemonFile is where the agent keeps its Daemon, as JSON, for others to
	// read.
	DaemonFile = RunDir + "/agent.json"
	// MinerConfig is the miner's configuration file.
	MinerConfig = "/etc/xmrig/config.json"
)

// Settings is the content of SettingsFile, which xmrfleet writes and the agent
// reads.
type Settings struct {
	Hostname string   `json:"hostname"`  // the hostname column of both tables
	WorkerID string   `json:"worker_id"` // the worker_id column
	Database string   `json:"database"`
	Interval Duration `json:"interval"` // between two polls
	API      API      `json:"api"`

	// RestartPolicy is "evidence" or "immediate", the rule of the
	// specification.
	RestartPolicy string `json:"restart_policy"`

	// Thresholds replace the agent's defaults, by their names in fleet.hcl.
	// Durations are in seconds.
	Thresholds map[string]float64 `json:"thresholds,omitempty"`

	// Desired is what the miner should be by fleet.hcl: Running or Stopped.
	Desired string `json:"desired"`
}

// API is where the miner's HTTP API listens.
type API struct {
	Address string `json:"address"` // host:port
	Token   string `json:"token,omitempty"`
}

// Duration is a time.Duration that is a string in JSON, such as "10s".
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// StatusVersion is the version of Status. A reader refuses a higher one.
const StatusVersion = 1

// The states of a miner, from the specification's xmrig_processes.status.
const (
	Stopped    = "stopped"
	Starting   = "starting"
	Running    = "running"
	Unhealthy  = "unhealthy"
	Stopping   = "stopping"
	Crashed    = "crashed"
	Restarting = "restarting"
)

// Status is what `xmrig-orchestrator status --json` prints: the host's row of
// xmrig_processes, figures from its health_data, and the last decision. Times
// are UTC.
type Status struct {
	Version           int        `json:"version"`
	Hostname          string     `json:"hostname"`
	WorkerID          string     `json:"worker_id"`
	State             string     `json:"state"`
	PID               int        `json:"pid,omitempty"`
	StartedAt         *time.Time `json:"started_at,omitempty"`
	StoppedAt         *time.Time `json:"stopped_at,omitempty"`
	LastHealthCheckAt *time.Time `json:"last_health_check_at,omitempty"`
	ErrorCount        int        `json:"error_count"`
	RestartCount      int        `json:"restart_count"`
	LastError         string     `json:"last_error,omitempty"`

	// Hashrate over 10 s, 60 s and 15 min in H/s; nil if it is not known.
	Hashrate [3]*float64 `json:"hashrate"`
	Accepted int64       `json:"accepted_shares"`
	Rejected int64       `json:"rejected_shares"`

	Pool          string `json:"pool,omitempty"`
	PoolConnected bool   `json:"pool_connected"`
	Paused        bool   `json:"paused"`
	Uptime        int64  `json:"uptime"` // of the miner's process, in seconds
	XMRigVersion  string `json:"xmrig_version,omitempty"`

	// FailedCommands is how many commands of the last hour failed, without
	// superseded ones.
	FailedCommands int `json:"failed_commands"`

	// Cause is a stable word for why the miner is in its state. Since is when
	// state and cause became what they are. Evidence says, for people, from
	// which figures the agent last decided that. They are empty until the
	// agent has decided something.
	Cause    string     `json:"cause,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Evidence string     `json:"evidence,omitempty"`

	// Daemon is what the agent that runs, or ran last in this boot, said of
	// itself; nil where none did.
	Daemon *Daemon `json:"daemon,omitempty"`

	// Config is what the miner's configuration file says now; nil where it
	// cannot be read.
	Config *Config `json:"config,omitempty"`
}

// A Daemon is what an agent says of itself after each poll, in DaemonFile.
type Daemon struct {
	Version      string `json:"version"`
	InvocationID string `json:"invocation_id"` // of its unit, by systemd; empty outside of one
	PID          int    `json:"pid"`

	// CheckedAt is when its last poll ended.
	CheckedAt time.Time `json:"checked_at"`

	// Miner is the InvocationID of the miner's unit as of that poll; empty if
	// there was no process. The row and its figures belong to it.
	Miner string `json:"miner_invocation_id,omitempty"`

	// Decision is the one of that poll, with figures as of then.
	Decision *Decision `json:"decision,omitempty"`

	// Faults are what the agent cannot do, and why, each in one line with its
	// remedy. There are none where it can do all its work.
	Faults []string `json:"faults,omitempty"`
}

// A Config tells of a configuration file without saying what is in it.
type Config struct {
	SHA256 string `json:"sha256"`

	// Payees are of the enabled pools, in their order: for whom the miner
	// mines, as Payee has it.
	Payees []string `json:"payees"`
}

// Payee is the checksum of a pool's address and of the account that is paid
// there, both as in the configuration file. It is hex.
func Payee(url, user string) string {
	sum := sha256.Sum256([]byte(url + "\n" + user))
	return hex.EncodeToString(sum[:])
}

// HistoryVersion is the version of History. A reader refuses a higher one.
const HistoryVersion = 1

// History is what `xmrig-orchestrator history --json` prints: the commands and
// decisions of the last 24 hours, the newest last. Times are UTC.
type History struct {
	Version  int     `json:"version"`
	Hostname string  `json:"hostname"`
	Events   []Event `json:"events"`
}

// An Event is a command or a decision; the other one is nil. At is when the
// command was given, or the decision made.
type Event struct {
	At       time.Time `json:"at"`
	Command  *Command  `json:"command,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// A Command is a row of xmrig_commands.
type Command struct {
	ID          int64      `json:"id"`
	Action      string     `json:"action"` // "start", "stop" or "restart"
	Status      string     `json:"status"` // "pending", "processing", "completed" or "failed"
	Reason      string     `json:"reason,omitempty"`
	Result      string     `json:"result,omitempty"` // what systemctl printed
	Error       string     `json:"error,omitempty"`  // why it failed
	ProcessedAt *time.Time `json:"processed_at,omitempty"`
}

// A Decision is one by which the miner's state or its cause changed, or by which
// the agent acted.
type Decision struct {
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Action   string `json:"action,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// String is the decision in one line for people: "unhealthy, pool-down: EVIDENCE".
func (d Decision) String() string {
	text := d.State
	if d.Cause != "" && d.Cause != d.State {
		text += ", " + d.Cause
	}
	if d.Action != "" {
		text += ", " + d.Action
	}
	if d.Evidence != "" {
		text += ": " + d.Evidence
	}
	return text
}

// Check is what `xmrig-orchestrator check` prints: what the miner's API answered
// just now, or why it did not.
type Check struct {
	OK            bool        `json:"ok"`
	Error         string      `json:"error,omitempty"`
	XMRigVersion  string      `json:"xmrig_version,omitempty"`
	Hashrate      [3]*float64 `json:"hashrate"`
	Pool          string      `json:"pool,omitempty"`
	PoolConnected bool        `json:"pool_connected"`
	Uptime        int64       `json:"uptime"`
}
