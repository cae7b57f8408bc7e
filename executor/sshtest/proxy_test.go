package sshtest_test

import (
	"io"
	"net"
	"testing"
	"time"

	"xmrfleet/executor/sshtest"
)

// A talk is a connection through a proxy, with both ends in the test's hands.
type talk struct {
	t              *testing.T
	client, server net.Conn
}

// talks returns a function that connects a client to a server through a proxy.
func talks(t *testing.T, through func(testing.TB, string) *sshtest.Proxy) (*sshtest.Proxy, func() talk) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	proxy := through(t, l.Addr().String())
	return proxy, func() talk {
		client, err := net.Dial("tcp", proxy.Addr())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close(); server.Close() })
		return talk{t, client, server}
	}
}

func (k talk) says(from net.Conn, text string) {
	k.t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		k.t.Fatal(err)
	}
}

func (k talk) hears(at net.Conn, want string) {
	k.t.Helper()
	at.SetReadDeadline(time.Now().Add(5 * time.Minute))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(at, got); err != nil || string(got) != want {
		k.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// begins is how SSH begins: both ends say two things without being asked.
func (k talk) begins() {
	for _, text := range []string{"version", "algorithms"} {
		k.says(k.client, text)
		k.says(k.server, text)
		k.hears(k.client, text)
		k.hears(k.server, text)
	}
}

func (k talk) asks(question, answer string) {
	k.says(k.client, question)
	k.hears(k.server, question)
	k.says(k.server, answer)
	k.hears(k.client, answer)
}

func TestRoundTrips(t *testing.T) {
	proxy, connect := talks(t, sshtest.Count)
	k := connect()
	counted := func(want int, what string) {
		t.Helper()
		if got := proxy.RoundTrips(); got != want {
			t.Fatalf("%s: %d round trips, want %d", what, got, want)
		}
	}
	k.begins()
	counted(2, "TCP, and half a trip for each of the two things that both say")
	k.asks("q", "a")
	counted(3, "a question")
	k.says(k.client, "q1")
	k.says(k.client, "q2")
	k.hears(k.server, "q1q2")
	k.says(k.server, "a1")
	k.says(k.server, "a2")
	k.hears(k.client, "a1a2")
	counted(4, "two questions in a row")

	// What the client says to the first half of an answer does not delay the
	// second.
	k.says(k.client, "q")
	k.hears(k.server, "q")
	k.says(k.server, "half")
	k.hears(k.client, "half")
	k.says(k.client, "remark")
	k.says(k.server, "half")
	k.hears(k.client, "half")
	k.hears(k.server, "remark")
	counted(5, "an answer in two halves")
	k.asks("q", "a")
	counted(6, "another question")

	k.client.Close()
	k = connect()
	k.begins()
	k.asks("q", "a")
	counted(9, "another connection")
}

func TestHeldProxy(t *testing.T) {
	proxy, connect := talks(t, sshtest.Forward)
	k := connect()
	k.asks("q", "a")
	proxy.Hold()
	k.says(k.client, "held")
	for proxy.Pending() == 0 {
		time.Sleep(time.Millisecond)
	}
	k.server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := k.server.Read(make([]byte, 10)); err == nil {
		t.Errorf("%d bytes arrived", n)
	}
	proxy.Release()
	k.hears(k.server, "held")
	proxy.Settle()
	if n := proxy.Pending(); n != 0 {
		t.Errorf("%d pieces are pending", n)
	}
	proxy.Cut()
	k.says(k.client, "lost")
	proxy.Settle()
	k.server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := k.server.Read(make([]byte, 10)); err == nil {
		t.Errorf("%d bytes arrived after the cut", n)
	}
}
