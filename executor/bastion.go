package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A bastion is the connection to a hop. All hosts behind the hop share it: sshd
// does not count forwarded connections as sessions.
type bastion struct {
	ready   chan struct{} // closed when the next three are set
	attempt *attempt      // nil: its name did not resolve
	conn    *connection
	err     error
	places  chan struct{} // connections that may be set up through it at a time
}

type bastions struct {
	mu   sync.Mutex
	open map[string]*bastion
}

// bastion returns the connection to the last hop of jump, and makes it if there
// is none. A hop that failed is not tried again in this run; it is returned
// beside the error, for a Trace. chain holds the hops that need this one: a hop
// that is among them goes in a circle.
func (d *Dialer) bastion(ctx context.Context, jump string, chain []string) (*bastion, error) {
	if slices.Contains(chain, jump) {
		return nil, &Error{Reason: BadConfig, Op: "connect through " + jump,
			Err:    fmt.Errorf("ProxyJump goes in a circle: %s", strings.Join(append(chain, jump), " > ")),
			Advice: "in the ssh configuration, for that host: ProxyJump none"}
	}
	d.bastions.mu.Lock()
	b := d.bastions.open[jump]
	if b == nil {
		b = &bastion{ready: make(chan struct{}), places: make(chan struct{}, d.PerBastion)}
		if d.bastions.open == nil {
			d.bastions.open = map[string]*bastion{}
		}
		d.bastions.open[jump] = b
		go d.openBastion(b, jump, chain)
	}
	d.bastions.mu.Unlock()
	select {
	case <-b.ready:
	case <-ctx.Done():
		return nil, givenUp("connect through "+jump, context.Cause(ctx))
	}
	if b.err != nil {
		return b, through(jump, b.err)
	}
	return b, nil
}

// openBastion runs on the dialer's context and not on that of the first host,
// because other hosts wait for the hop as well.
func (d *Dialer) openBastion(b *bastion, jump string, chain []string) {
	defer close(b.ready)
	target, err := parseHop(jump)
	if err != nil {
		b.err = err
		return
	}
	e, err := d.resolve(d.context, target)
	if err != nil {
		b.err = err
		return
	}
	b.attempt = &attempt{endpoint: e}
	if b.conn, b.err = d.connect(d.context, b.attempt, append(slices.Clone(chain), jump)); b.err != nil {
		return
	}
	go func() {
		<-b.conn.ended
		d.bastions.mu.Lock()
		delete(d.bastions.open, jump)
		d.bastions.mu.Unlock()
	}()
}

// through returns an error that says at which hop it happened.
func through(jump string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	hop := *e
	hop.Op = "hop " + jump + ": " + e.Op
	return &hop
}

// parseHop reads the last hop of a ProxyJump list; the others become its own
// ProxyJump, as ssh does it.
func parseHop(jump string) (Target, error) {
	var t Target
	spec := jump
	if i := strings.LastIndexByte(jump, ','); i >= 0 {
		t.ProxyJump, spec = jump[:i], jump[i+1:]
	}
	bad := func() (Target, error) {
		return Target{}, &Error{Reason: BadConfig, Op: "read ProxyJump " + strconv.Quote(jump), Err: errors.New("want [user@]host[:port]")}
	}
	spec = strings.TrimSuffix(strings.TrimPrefix(spec, "ssh://"), "/")
	if i := strings.LastIndexByte(spec, '@'); i >= 0 {
		t.User, spec = spec[:i], spec[i+1:]
	}
	host, port := spec, ""
	if strings.HasPrefix(spec, "[") {
		end := strings.IndexByte(spec, ']')
		if end < 0 {
			return bad()
		}
		host, port = spec[1:end], strings.TrimPrefix(spec[end+1:], ":")
	} else if strings.Count(spec, ":") == 1 {
		host, port, _ = strings.Cut(spec, ":")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return bad()
		}
		t.Port = int(n)
	}
	if t.Name = host; host == "" {
		return bad()
	}
	return t, nil
}

func (b *bastions) close() error {
	b.mu.Lock()
	list := make([]*bastion, 0, len(b.open))
	for _, one := range b.open {
		list = append(list, one)
	}
	b.mu.Unlock()
	for _, one := range list {
		<-one.ready
		if one.conn != nil {
			one.conn.fail(errors.New("closed"))
		}
	}
	return nil
}
