// Package executor runs commands on hosts over SSH.
//
// A [Dialer] resolves names as the ssh program does, checks host keys, and opens
// a [Shell] on a host: a root shell in one session of one connection, which is
// our own or that of a live OpenSSH master. The shell runs frames. A frame is a
// list of commands that the host runs to the end even if the connection breaks,
// so a run may always stop between two frames. A shell may hold the host's lock;
// the lock ends with the shell. [Dialer.Trace] goes the same way and says what it
// met, with advice where the way ends.
//
// The package runs commands and returns their results. It must not know what a
// command is for, print anything, or decide by the text of an error of its own:
// that is what [Reason] is for. The words of other programs (ssh, sshd, sudo)
// are read where they arrive.
//
// To report a new cause: a Reason in errors.go, with its kind, and if there is
// something to do about it, a case in advice.go. What travels over the wire is
// described in wire.go and in the scripts beside it; a function that frames call
// goes into one of these scripts.
package executor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// A Target says which host is meant. What is empty comes from the ssh
// configuration, as it would for "ssh Name".
type Target struct {
	Name         string // of the host in the fleet; what ssh would be asked for
	Address      string // host name or IP address to connect to
	User         string
	Port         int
	IdentityFile string
	ProxyJump    string // [user@]host[:port], several separated by commas; "none"

	// HostKeys pins the host's keys, each as "ssh-ed25519 AAAA...". If there
	// is one, no known_hosts file is asked, and no OpenSSH master is used.
	HostKeys []string
}

// A Dialer opens shells. Its fields are not to be changed after the first
// Open. It is safe for concurrent use.
type Dialer struct {
	// SSHConfig is the configuration file that ssh is given by -F. Empty: the
	// ones of the user and the system. "none": no file at all.
	SSHConfig string

	// ConnectTimeout bounds a connection from the first packet until the user
	// is authenticated, for each hop, but for the time in which a key signs. It
	// bounds as well how long an ssh-agent may take to list its keys, and before
	// all that an OpenSSH master to open a session. 0: 5 s.
	ConnectTimeout time.Duration

	Parallelism int // connections that are being set up at a time; 0: 64
	PerBastion  int // of them through the same bastion; 0: 8
	Uploads     int // large payloads (256 KiB and more) sent at a time; 0: 5

	// Log is told how names were resolved, which keys and hops were used, and
	// what hosts print before the shell starts. nil: nobody.
	Log *slog.Logger

	once      sync.Once
	starts    chan struct{}
	uploads   chan struct{}
	resolver  resolver
	known     knownHosts
	sshAgents sshAgents
	bastions  bastions

	timing  timing // zero: the defaults
	path    string // PATH on the host; empty: the standard directories
	runDir  string // directory of the lock; empty: /run/xmrfleet
	context context.Context
	cancel  context.CancelFunc
}

// timing holds the durations that tests shorten.
type timing struct {
	start     time.Duration // until the shell answers
	keepalive time.Duration // between two questions whether the host is there
	silence   time.Duration // without any answer until it is given up
	beat      time.Duration // between two beats of an idle lock holder
	stale     time.Duration // after which a silent holder is ended
	wait      time.Duration // for a lock that is held for a moment, whole seconds
	frame     time.Duration // a frame's time where ctx has no deadline
	close     time.Duration // until a shell that holds the lock has ended
	touch     time.Duration // until an ssh-agent, or who touches its key, has signed
}

var defaults = timing{
	start:     30 * time.Second,
	keepalive: 10 * time.Second,
	silence:   12 * time.Second,
	beat:      5 * time.Second,
	stale:     30 * time.Second,
	wait:      2 * time.Second,
	frame:     15 * time.Minute,
	close:     5 * time.Second,
	touch:     30 * time.Second,
}

const hostPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (d *Dialer) init() {
	d.once.Do(func() {
		if d.Log == nil {
			d.Log = slog.New(slog.DiscardHandler)
		}
		if d.timing == (timing{}) {
			d.timing = defaults
		}
		d.ConnectTimeout = or(d.ConnectTimeout, 5*time.Second)
		d.PerBastion = or(d.PerBastion, 8)
		d.path = or(d.path, hostPath)
		d.runDir = or(d.runDir, "/run/xmrfleet")
		d.starts = make(chan struct{}, or(d.Parallelism, 64))
		d.uploads = make(chan struct{}, or(d.Uploads, 5))
		d.context, d.cancel = context.WithCancel(context.Background())
	})
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Close ends the connections to bastions and to the agent. Shells that run
// through a bastion end with it.
func (d *Dialer) Close() error {
	d.init()
	d.cancel()
	return errors.Join(d.bastions.close(), d.sshAgents.close(), d.known.close())
}

// acquire takes a place in a semaphore. Once ctx has ended it takes none, even a
// free one, and returns the cause.
func acquire(ctx context.Context, places chan struct{}) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
