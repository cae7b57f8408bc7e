// Package agent holds what xmrfleet and the health agent on the hosts say to
// each other: the agent's settings file and its JSON answers. Plain types that
// know how they are written, and no more; both programs link it.
package agent

import "time"

// Where things are on a host. The names are those of the specification, so
// that an older daemon is replaced in place.
const (
	Binary       = "/usr/local/bin/xmrig-orchestrator"
	SettingsFile = "/etc/xmrig/orchestrator.json"
	StateDir     = "/var/lib/xmrig-orchestrator"
	Database     = StateDir + "/orchestrator.sqlite3"
	Unit         = "xmrig-orchestrator.service"
	MinerUnit    = "xmrig.service"

	// RunDir holds the lock of running applies and the records of what each
	// unit was started with. It belongs to root and is world-readable.
	RunDir = "/run/xmrfleet"
	// Lock is held with flock(2) by whoever changes the host.
	Lock = RunDir + "/lock"
)

// Settings is the content of SettingsFile.
type Settings struct {
	Hostname string   `json:"hostname"`  // the hostname column of both tables
	WorkerID string   `json:"worker_id"` // the worker_id column
	Database string   `json:"database"`
	Interval Duration `json:"interval"` // between two polls
	API      API      `json:"api"`

	// RestartPolicy is "evidence" or "immediate".
	RestartPolicy string `json:"restart_policy"`

	// Thresholds override the agent's own; absent means the default.
	Thresholds map[string]float64 `json:"thresholds,omitempty"`

	// Desired is what fleet.hcl says of the miner: "running" or "stopped".
	Desired string `json:"desired"`
}

// API is where the miner's HTTP API listens.
type API struct {
	Address string `json:"address"` // host:port
	Token   string `json:"token,omitempty"`
}

// Duration is a time.Duration that is text in JSON, as "10s".
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// StatusVersion is the version of Status. A reader ignores fields that it does
// not know and refuses a higher version.
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

// Status is the answer of `xmrig-orchestrator status --json`: the row of
// xmrig_processes and what its health_data says. Times are UTC.
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

	// Hashrate over 10 s, 60 s and 15 min in H/s; nil where XMRig says null.
	Hashrate [3]*float64 `json:"hashrate"`
	Accepted int64       `json:"accepted_shares"`
	Rejected int64       `json:"rejected_shares"`

	Pool          string `json:"pool,omitempty"`
	PoolConnected bool   `json:"pool_connected"`
	Paused        bool   `json:"paused"`
	Uptime        int64  `json:"uptime"` // of the miner's process, in seconds
	XMRigVersion  string `json:"xmrig_version,omitempty"`

	// FailedCommands of the last hour, superseded ones not counted.
	FailedCommands int `json:"failed_commands"`

	// Cause is a stable word for why the miner is in its state, Since when it
	// has been so, and Evidence what that was seen from when it was last
	// decided, for people. They are empty while the agent has decided nothing
	// yet.
	Cause    string     `json:"cause,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Evidence string     `json:"evidence,omitempty"`
}

// HistoryVersion is the version of History, with the rules of StatusVersion.
const HistoryVersion = 1

// History is the answer of `xmrig-orchestrator history --json`: what happened
// within the last 24 hours, the newest last. Times are UTC.
type History struct {
	Version  int     `json:"version"`
	Hostname string  `json:"hostname"`
	Events   []Event `json:"events"`
}

// An Event is a command or a decision; the other one is nil. A command is at
// the time when it was given.
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
	Error       string     `json:"error,omitempty"`
	ProcessedAt *time.Time `json:"processed_at,omitempty"`
}

// A Decision is one of the agent's that changed the miner's state or acted.
type Decision struct {
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Action   string `json:"action,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// String is the decision for people: "unhealthy, pool-down: EVIDENCE".
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

// Check is the answer of `xmrig-orchestrator check`: what the miner's API said
// just now.
type Check struct {
	OK            bool        `json:"ok"`
	Error         string      `json:"error,omitempty"`
	XMRigVersion  string      `json:"xmrig_version,omitempty"`
	Hashrate      [3]*float64 `json:"hashrate"`
	Pool          string      `json:"pool,omitempty"`
	PoolConnected bool        `json:"pool_connected"`
	Uptime        int64       `json:"uptime"`
}
