package modules

// Facts are what a host says of itself, read in the same exec as all probes.
type Facts struct {
	Hostname  string // uname -n
	OS        string // PRETTY_NAME of os-release
	Kernel    string
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
}
