// Package modules knows what a mining host is made of, what it is asked, and
// what its answers mean.
//
// What a host is made of are resources. A kind is a [Resource]: a read-only
// [Command] that prints what is there, and a pure function from that text to
// the [Change] that is still missing. There is no apply in this package: a
// Change carries the very commands that the reader was shown. compose.go turns
// a [Miner], the description, into the list of its resources.
//
// All else that is asked of a host is a pair of functions in a file of its own:
// one gives the command, the other reads its result, as [StatusProbe] and
// [ParseStatus]. What an answer means, as whether a miner is healthy, are
// methods of the type that was read, so that every reader decides alike.
//
// The package does no I/O and knows nothing of SSH, of fleet.hcl or of how
// anything is shown. Scripts are constants: whatever varies travels as an
// argument or on standard input, never inside a script. No shell script for a
// host stands anywhere else, but for those of package executor that make
// commands run. The package imports the standard library only, and its own leaf
// packages: agent (what both programs say to each other), hint and printable.
//
// To add a kind of resource, add a file with a type that implements Resource, a
// row to the table laws of converge_test.go, and use it in compose.go. To ask
// something else, add a file with the pair, and ask it in askAll of
// scripts_test.go, which has every script run by all shells.
package modules

// A Resource is one thing on a host and the state it should be in.
type Resource interface {
	// ID names the resource for people and machines, as "file
	// /etc/xmrig/config.json". It is unique within a host.
	ID() string

	// Validate reports a description that is wrong on any host.
	Validate() error

	// Probe reads the present state. It changes nothing and exits 0 with
	// something to say also on a host where nothing is installed yet.
	// It carries no secrets: other users of the host can see it.
	Probe() Command

	// Diff compares what Probe printed with the desired state. It is pure. An
	// error means that the state cannot be reached from here.
	Diff(probed string, facts Facts) (Change, error)
}

// A Command is a constant POSIX shell script and the data it works on. It runs
// as root, in a subshell of its own, with a fixed PATH and LC_ALL=C.
type Command struct {
	Script string
	Args   []string // $1, $2, ...
	Stdin  *Blob    // nil: nothing to read
}

// A Result is what became of a Command.
type Result struct {
	Status int // exit status; NotRun if an earlier command of the batch failed
	Stdout string
	Stderr string
}

// NotRun is the Status of a command that was not started.
const NotRun = -1

// An Action is the kind of a Change. Its text is the word that people read.
type Action string

const (
	None    Action = ""
	Create  Action = "create"
	Update  Action = "update"
	Delete  Action = "delete"
	Start   Action = "start"
	Stop    Action = "stop"
	Restart Action = "restart"
)

// A Change is what separates a resource from its desired state: what the
// reader sees and what the host runs, as data. The zero Change means that
// nothing is to do. No field holds a secret outside of Steps.
type Change struct {
	Action Action
	Reason string  // why, where the fields do not show it: "the running process has the old config"
	Fields []Field // attributes that differ, in a fixed order

	// Before and After are the contents of a text that differs, with secrets
	// masked and ready for a line diff. Both are empty where there is nothing
	// to show.
	Before, After string

	// Steps lead to the desired state, in order; the first that fails ends
	// the change. Each leaves the host sound if it is the last one that runs.
	Steps []Command

	// Disruptive is set where the steps start, stop or restart a service.
	Disruptive bool

	// Warnings are for the reader and do not by themselves make a change.
	Warnings []string
}

// Empty reports whether there is nothing to do.
func (c Change) Empty() bool { return c.Action == None }

// A Field is one attribute that differs. An empty Old means that it was not
// there.
type Field struct {
	Name string `json:"name"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}
