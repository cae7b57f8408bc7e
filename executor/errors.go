package executor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"xmrfleet/modules/hint"
)

// A Kind is what callers decide on when a host could not be worked with. It is
// part of the JSON lines.
type Kind = hint.Kind

// The kinds. They have no type because each of them is also the [Reason] of an
// error about which nothing finer is known.
const (
	BadConfig      = "config"           // the ssh configuration or a key file is unusable
	HostKeyUnknown = "host key unknown" // nobody said that this key is the host's
	HostKeyChanged = "host key changed" // another key than the known one, or a revoked one
	AuthRefused    = "authentication"   // no key was accepted
	Unreachable    = "unreachable"      // no connection, or no answer in time
	NoShell        = "shell"            // the login works, but no shell starts
	SudoRefused    = "sudo"             // the user may not become root without a password
	Locked         = "locked"           // another run holds the host
	TimedOut       = "timeout"          // the caller's deadline passed; a frame that was begun is finished by the host
	Lost           = "lost"             // the connection broke; the host finishes the frame
	Canceled       = "canceled"         // the caller's context ended
)

// A Reason is what this package decides on, as its advice does: a kind, or
// something finer that belongs to one.
type Reason string

const (
	ConnectionRefused Reason = "connection refused" // nothing listens at the port
	NoAnswer          Reason = "no answer"          // not within ConnectTimeout
	NoRoute           Reason = "no route"           // to the host or its network
	Busy              Reason = "busy"               // sshd closed the connection before it spoke
	Penalized         Reason = "penalized"          // sshd refuses this address after failed logins
	HopForbids        Reason = "hop forbids"        // the bastion forwards no connections
	HopCannotReach    Reason = "hop cannot reach"   // the bastion finds no way to the host
	HostKeyRevoked    Reason = "host key revoked"   // by a known_hosts file
	LoginDisabled     Reason = "login disabled"     // the user's shell is nologin
)

var kinds = map[Reason]Kind{
	ConnectionRefused: Unreachable,
	NoAnswer:          Unreachable,
	NoRoute:           Unreachable,
	Busy:              Unreachable,
	Penalized:         Unreachable,
	HopForbids:        Unreachable,
	HopCannotReach:    Unreachable,
	HostKeyRevoked:    HostKeyChanged,
	LoginDisabled:     NoShell,
}

// Kind returns the kind that the reason belongs to, or is.
func (r Reason) Kind() Kind { return or(kinds[r], Kind(r)) }

// An Error says why a host could not be worked with. It reads "operation
// object: cause" and does not name the host of the fleet.
type Error struct {
	Reason Reason
	Op     string  // "connect 10.0.0.9:22"
	Err    error   // the cause
	Advice string  // what a person can do about it, or empty
	Holder *Holder // who holds the lock, if Reason is Locked and it is known
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Kind() Kind   { return e.Reason.Kind() }
func (e *Error) Hint() string { return e.Advice }

// givenUp reports what was being done when the caller's context ended.
func givenUp(op string, cause error) *Error {
	e := &Error{Reason: Canceled, Op: op, Err: cause}
	if errors.Is(cause, context.DeadlineExceeded) {
		e.Reason = TimedOut
	}
	return e
}

// unreachable reports a connection that could not be made. It cuts from a
// network error what op says already.
func unreachable(op string, err error, timeout time.Duration) *Error {
	e := &Error{Reason: Unreachable, Op: op, Err: err}
	var (
		lookup *net.DNSError
		sys    *os.SyscallError
		netErr net.Error
	)
	switch {
	case errors.As(err, &lookup):
		e.Err = fmt.Errorf("%s", strings.TrimPrefix(lookup.Error(), "lookup "))
		e.Advice = "give the host an address in fleet.hcl, or a HostName in the ssh configuration"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		e.Reason, e.Err = NoAnswer, fmt.Errorf("no answer within %s", timeout)
	case errors.As(err, &sys):
		e.Reason, e.Err = reasonOf(sys.Err), sys.Err
	}
	return e
}

// reasonOf reads what the operating system says of a connection.
func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NoRoute
	}
	return Unreachable
}
