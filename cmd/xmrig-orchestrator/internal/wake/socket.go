// Package wake tells the agent at once that there may be a command in its
// database, so that it need not ask the database all the time. A program of this
// host that knows the agent rings at a Socket (socket.go). Others only write to
// the database, which Files notices (files_linux.go).
//
// Neither says what there is to do, and both may wake the agent for nothing: it
// has to look into the database. Another way to wake it is a type with C and
// Close like these two.
package wake

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// A Socket is where programs wake the agent by Ring. Only root may.
type Socket struct {
	conn *net.UnixConn
	path string
	c    chan struct{}
}

// Listen opens the socket at a path. It replaces what is there: an agent that was
// killed leaves its socket behind.
func Listen(path string) (*Socket, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen: %w", err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err // which names operation and path
	}
	if err := os.Chmod(path, 0o600); err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Socket{conn: conn, path: path, c: make(chan struct{}, 1)}
	go s.receive()
	return s, nil
}

func (s *Socket) receive() {
	buf := make([]byte, 1)
	for {
		if _, err := s.conn.Read(buf); err != nil {
			return
		}
		signal(s.c)
	}
}

// C receives after one or more Rings. It is never closed.
func (s *Socket) C() <-chan struct{} { return s.c }

// Close closes the socket and removes its file.
func (s *Socket) Close() error {
	err := os.Remove(s.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(s.conn.Close(), err)
}

// Ring wakes the agent that listens at a path. It is an error if none does.
func Ring(path string) error {
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte{1})
	return err
}

// signal sends unless a receive is due already.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
