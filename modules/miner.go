package modules

import "time"

// A Miner is the desired state of one host as fleet.hcl describes it, with
// every default filled in.
type Miner struct {
	Host   string // its name in fleet.hcl
	Worker string // the specification's worker id: "HOST-production"
	Wallet Value
	Pools  []Pool // in failover order, at least one
	XMRig  XMRig
	Agent  Agent
}

// A Pool is one entry of XMRig's pools.
type Pool struct {
	URL            string // host:port
	User           Value  // empty: the wallet
	Pass           Value  // empty: the worker
	RigID          string // empty: the worker
	TLS            bool
	TLSFingerprint string
	Keepalive      bool
	Nicehash       bool
	SNI            bool
	Algo, Coin     string
	SOCKS5         string
}

// How a host comes by its XMRig.
const (
	InstallPush     = "push"     // xmrfleet sends it
	InstallPull     = "pull"     // the host downloads it
	InstallExisting = "existing" // it is there already: find and link it
)

// The desired states of a miner.
const (
	StateRunning = "running"
	StateStopped = "stopped"
	StateAbsent  = "absent"
)

// XMRig is the desired miner process.
type XMRig struct {
	Version      string
	SHA256       string // of the release archive, hex
	BinarySHA256 string // of the xmrig member; from the archive itself with InstallPush
	Install      string
	Source       string // URL or local path of the archive

	// Binary and Arch come from the opened archive; they are empty unless
	// Install is InstallPush.
	Binary *Blob
	Arch   string

	State          string
	MaxThreadsHint int  // percent; 1 to 100
	Priority       *int // -1 to 5; nil leaves it to XMRig
	HugePages      bool
	DonateLevel    int // 1 to 99
	HTTPPort       int
	AccessToken    Value

	// Config holds further keys of config.json, as encoding/json would decode
	// them, with a Value in place of each string that is a secret.
	Config map[string]any
}

// Agent is the desired health agent.
type Agent struct {
	Interval      time.Duration
	Database      string // path on the host; empty: the agent's own
	Hostname      string // empty: the host's own name
	RestartPolicy string // "evidence" or "immediate"
	Thresholds    map[string]float64

	// Binaries are the agent's builds by GOARCH: "amd64", "arm64".
	Binaries map[string]*Blob

	// AllowOlder lets them take the place of newer ones.
	AllowOlder bool
}
