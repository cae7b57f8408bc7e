package sshtest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Proxy stands between a client and a server, far away.
type Proxy struct {
	listener net.Listener
	to       string
	delay    atomic.Int64 // nanoseconds
	cut      atomic.Bool
	mu       sync.Mutex
	conns    []net.Conn
}

// Delay forwards connections to address; each byte takes delay in either
// direction. It ends with the test.
func Delay(t testing.TB, address string, delay time.Duration) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, to: address}
	p.Slow(delay)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.conns {
			c.Close()
		}
	})
	go p.accept()
	return p
}

// Addr is host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Slow changes the delay of what comes from now on.
func (p *Proxy) Slow(delay time.Duration) { p.delay.Store(int64(delay)) }

// Cut makes the proxy lose everything from now on, without a word to either
// side, as a cable that is pulled.
func (p *Proxy) Cut() { p.cut.Store(true) }

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
	// The packets that set up a connection take their time as well.
	time.Sleep(2 * time.Duration(p.delay.Load()))
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		near.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, near, far)
	p.mu.Unlock()
	go p.forward(near, far)
	p.forward(far, near)
}

type parcel struct {
	data []byte
	due  time.Time
}

func (p *Proxy) forward(from, to net.Conn) {
	parcels := make(chan parcel, 1024)
	go func() {
		for one := range parcels {
			time.Sleep(time.Until(one.due))
			if !p.cut.Load() {
				to.Write(one.data)
			}
		}
		if !p.cut.Load() {
			to.Close()
		}
	}()
	defer close(parcels)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 {
			parcels <- parcel{buf[:n], time.Now().Add(time.Duration(p.delay.Load()))}
		}
		if err != nil {
			return
		}
	}
}
