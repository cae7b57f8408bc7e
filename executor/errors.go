package executor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"xmrfleet/modules/hint"
)

// A Kind is what a caller decides on when a host could not be worked with.
type Kind = hint.Kind

const (
	BadConfig      Kind = "config"           // the ssh configuration or a key file is unusable
	HostKeyUnknown Kind = "host key unknown" // nobody said that this key is the host's
	HostKeyChanged Kind = "host key changed" // another key than the known one, or a revoked one
	AuthRefused    Kind = "authentication"   // no key was accepted
	Unreachable    Kind = "unreachable"      // no connection, or no answer in time
	NoShell        Kind = "shell"            // the login works, but no shell starts
	SudoRefused    Kind = "sudo"             // the user may not become root without a password
	Locked         Kind = "locked"           // another run holds the host
	TimedOut       Kind = "timeout"          // the caller's deadline passed; a frame that was begun is finished by the host
	Lost           Kind = "lost"             // the connection broke; the host finishes the frame
	Canceled       Kind = "canceled"         // the caller's context ended
)

// An Error says why a host could not be worked with. It reads "operation
// object: cause" and does not name the host of the fleet.
type Error struct {
	Reason Kind
	Op     string  // "connect 10.0.0.9:22"
	Err    error   // the cause
	Advice string  // what a person can do about it, or empty
	Holder *Holder // who holds the lock, if Reason is Locked and it is known
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Kind and Hint make it a [hint.Hinted].
func (e *Error) Kind() Kind   { return e.Reason }
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
		e.Err = fmt.Errorf("no answer within %s", timeout)
	case errors.As(err, &sys):
		e.Err = sys.Err
	}
	return e
}
