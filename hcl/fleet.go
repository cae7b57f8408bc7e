// Package hcl reads fleet.hcl: it parses, evaluates, decodes and validates, and
// gives the desired state of every host with all defaults filled in.
//
// Everything is decided here, before any network: what [Load] returns without
// an error can be planned. Mistakes in the file are [Diagnostics], all of them
// at once, written for the file's author. No diagnostic holds a secret.
//
// To add an attribute, add a row to blockAttributes in schema.go, with its type
// and its check, and read it in host.go, where the last layer wins; the field
// that it fills is in package modules. The package imports modules and the HCL
// libraries, nothing else of this program, and no other package imports those.
package hcl

import (
	"fmt"

	"xmrfleet/modules"
)

// Options are what a fleet file is read with.
type Options struct {
	// Vars are values of variables by name, as --var NAME=VALUE gives them.
	Vars map[string]string

	// Env looks up an environment variable, as os.LookupEnv does. It serves
	// env() and XMRFLEET_VAR_NAME. Nil is an empty environment.
	Env func(name string) (string, bool)

	// Version is that of this program, for required_version.
	Version string
}

// A Fleet is a fleet file, evaluated.
type Fleet struct {
	Path string // as it was given to Load
	Text []byte `json:"-"` // of the file

	// Hosts are in the order of their host blocks, followed by those that only
	// the hosts expression names, in its order.
	Hosts []Host

	// Removed are hosts that are not of the fleet any more and from which
	// everything is to be taken: their miners are absent.
	Removed []Host

	Groups []string // declared groups, in order

	// RequireSelector is set where a command that changes hosts must be told
	// which ones.
	RequireSelector bool

	// Secrets are all sensitive strings that were seen, the longest first.
	// They are for a redactor of output; none is empty.
	Secrets []string `json:"-"`
}

// A Host is one machine of the fleet.
type Host struct {
	Name    string
	Address string // empty: the name, as ssh resolves it
	Groups  []string
	SSH     SSH
	Miner   modules.Miner
	Pos     Pos // where the file declares it
}

// SSH is what the fleet file says of the connection. What is empty is left to
// the user's ssh configuration.
type SSH struct {
	User         string
	Port         int
	IdentityFile string
	HostKeys     []string // authorized_keys format: "ssh-ed25519 AAAA..."
	ProxyJump    string
}

// A Pos is a place in a file. Line and Column count from 1, Byte from 0;
// columns are characters.
type Pos struct {
	Filename string `json:"-"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Byte     int    `json:"byte"`
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.Filename, p.Line) }
