package sshtest

import (
	"net"
	"os/exec"
	"sync"
	"testing"
)

// A Proxy stands between a client and a server, as the network does. It can be
// cut, and can hold back what is under way; one that was made by [Count] tells
// how often the client waits for the network.
type Proxy struct {
	listener net.Listener
	to       string
	counts   bool

	mu    sync.Mutex
	cond  *sync.Cond
	cut   bool
	held  bool
	links []*link
}

// Forward forwards connections to address until the test ends.
func Forward(t testing.TB, address string) *Proxy { return start(t, &Proxy{to: address}) }

// Count is Forward for [Proxy.RoundTrips]. It is slow.
func Count(t testing.TB, address string) *Proxy {
	return start(t, &Proxy{to: address, counts: true})
}

func start(t testing.TB, p *Proxy) *Proxy {
	t.Helper()
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.cond = sync.NewCond(&p.mu)
	t.Cleanup(func() {
		p.listener.Close()
		p.Release()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, l := range p.links {
			l.near.closed, l.far.closed = true, true
			l.near.conn.Close()
			l.far.conn.Close()
		}
		p.cond.Broadcast()
	})
	go p.accept()
	return p
}

// Addr is host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut makes the proxy lose everything from now on, without a word to either
// side, as a cable that is pulled.
func (p *Proxy) Cut() { p.set(&p.cut, true) }

// Hold makes the proxy keep what is sent from now on, in both directions, until
// Release.
func (p *Proxy) Hold() { p.set(&p.held, true) }

// Release forwards what was held.
func (p *Proxy) Release() { p.set(&p.held, false) }

func (p *Proxy) set(what *bool, value bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*what = value
	p.cond.Broadcast()
}

// Pending is how many pieces of data were sent and have not arrived.
func (p *Proxy) Pending() int {
	_, pending := p.traffic()
	return pending
}

// traffic is what the proxy has seen and what it has not yet passed on.
func (p *Proxy) traffic() (read, pending int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		read += l.near.read + l.far.read
		pending += l.pending
	}
	return read, pending
}

// Settle returns when nothing is under way and both ends are quiet.
func (p *Proxy) Settle() {
	for {
		before, _ := p.traffic()
		pause()
		if after, pending := p.traffic(); after == before && pending == 0 {
			return
		}
	}
}

// RoundTrips is how often the client has waited for the network so far.
//
// Each piece of data that is sent has a number: one more than the highest
// number that had arrived at its sender. So an answer has the number of the
// question plus one, and what follows without waiting, be it a second question
// or a keepalive, has the number of the first. Two numbers make a round trip,
// and the highest one that has arrived at the client, halved, is how often it
// has waited one after the other. Connecting by TCP is a round trip before all
// others. Connections are taken to follow one another: theirs are added up.
//
// The result does not depend on the speed of the ends, since a piece with a
// number that is new to its receiver waits until the receiver has sent all that
// it sends without it; see [Proxy.admit].
func (p *Proxy) RoundTrips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	trips := 0
	for _, l := range p.links {
		trips += 1 + (l.near.arrived+1)/2
	}
	return trips
}

// A link is a connection through the proxy, guarded by the proxy's mutex.
type link struct {
	near, far end // of the client and of the server
	pending   int // pieces that were read and not yet written
}

// An end is one of the two ends of a link, as the proxy sees it.
type end struct {
	conn    net.Conn
	read    int  // how many pieces came from it
	sent    int  // the highest number of a piece from it
	arrived int  // the highest number of a piece that was written to it
	closed  bool // nothing more comes from it, and what arrives there no longer counts
}

// A piece is what was read at a time.
type piece struct {
	data   []byte
	number int
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(near)
	}
}

func (p *Proxy) connect(near net.Conn) {
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		near.Close()
		return
	}
	l := &link{near: end{conn: near}, far: end{conn: far}}
	p.mu.Lock()
	p.links = append(p.links, l)
	p.mu.Unlock()
	go p.forward(l, &l.near, &l.far)
	p.forward(l, &l.far, &l.near)
}

func (p *Proxy) forward(l *link, from, to *end) {
	pieces := make(chan piece, 1024)
	go func() {
		for one := range pieces {
			if p.admit(to, one.number) {
				to.conn.Write(one.data)
			}
			p.mu.Lock()
			l.pending--
			p.mu.Unlock()
		}
		if p.admit(to, 0) {
			to.conn.Close()
		}
	}()
	defer close(pieces)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.conn.Read(buf)
		if n > 0 {
			pieces <- piece{buf[:n], p.number(l, from)}
		}
		if err != nil {
			p.set(&from.closed, true)
			return
		}
	}
}

// number returns the number of a piece that was read.
func (p *Proxy) number(l *link, from *end) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	from.read++
	from.sent = from.arrived + 1
	l.pending++
	p.cond.Broadcast()
	return from.sent
}

// admit waits until a piece may be written, and reports whether it is to be.
//
// SSH begins with two pieces that both ends send without being asked, their
// version and their list of algorithms: each waits until the receiver's own has
// been read. Any other piece with a new number waits until the receiver is
// quiet.
func (p *Proxy) admit(to *end, number int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held && !p.cut {
		p.cond.Wait()
	}
	if !p.counts || number <= to.arrived {
		return !p.cut
	}
	for number <= 2 && to.sent < number && !to.closed {
		p.cond.Wait()
	}
	for read := -1; number > 2 && read != to.read && !to.closed; {
		read = to.read
		p.mu.Unlock()
		pause()
		p.mu.Lock()
	}
	if !to.closed {
		to.arrived = number
	}
	return !p.cut
}

// pause takes as long as this machine needs to start some processes one after
// another. An end that has something to say says it meanwhile: on a machine that
// is slow or busy, both take longer.
func pause() {
	for range 20 {
		exec.Command("true").Run()
	}
}
