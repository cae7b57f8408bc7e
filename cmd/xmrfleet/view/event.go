package view

import (
	"time"

	"xmrfleet/hcl"
	"xmrfleet/plan"
)

// An Event is something that a run has to tell. It is data: what it means was
// decided by the command, and each reporter shows it in its own way. Only the
// events between [Applying] and [Applied] come from several hosts at once, and
// [Heartbeat] while the hosts are read.
type Event interface {
	text(*Text)    // for people
	lines() []line // for programs
}

// Loaded: a fleet file was read. It is the first event that may know secrets,
// and no reporter shows any of them from then on.
type Loaded struct {
	Diagnostics hcl.Diagnostics
	Hosts       []hcl.Host // none if the file has errors
	Secrets     []string
}

// Validated: a fleet file was checked and nothing else was to be done.
type Validated struct {
	File   string
	Hosts  int
	Report hcl.Report
}

// Planned: the hosts were compared with their descriptions.
type Planned struct {
	Hosts   []HostPlan
	Details bool
	Took    time.Duration
}

// Saved: the plan is in a file.
type Saved struct{ File string }

// Applying: these hosts are going to be changed.
type Applying struct {
	Hosts   []string
	Details bool // people want to see each change as it is made
}

// Begun: a host is being changed.
type Begun struct {
	Host    string
	Changes int
}

// Made: one change of a host was made.
type Made struct {
	Host   string
	Change plan.Change
	Took   time.Duration
}

// Ended: a host is not being changed any more.
type Ended struct{ HostResult }

// Stopping: the run was interrupted and goes on to a safe point.
type Stopping struct{}

// Applied: an apply is over.
type Applied struct {
	Results []HostResult
	Retry   string // the command that does the same for the hosts that failed
	Took    time.Duration
}

// Failed: the run as a whole cannot go on.
type Failed struct {
	Err error
}

// Finished: the run is over. It is the last event of every run.
type Finished struct {
	Command string // "plan"; empty if the command line was not understood
	Code    int    // exit code
	Outcome string // what the code means, in one word
	Signal  string // what interrupted the run, or ""
	Hosts   Tally
	Took    time.Duration
}

// A Tally counts what became of the selected hosts.
type Tally struct {
	Done    int `json:"done"`    // as they should be, or made so
	Changed int `json:"changed"` // of the done
	Failed  int `json:"failed"`  // not as they should be, and untouched
	Locked  int `json:"locked"`  // of the failed: by another run
	Stale   int `json:"stale"`   // of the failed: not as in the saved plan
	Between int `json:"between"` // left between two states
}
