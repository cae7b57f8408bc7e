// Package wake tells the agent that there may be something for it to do, so
// that it need not look often.
package wake

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// A Socket is where the programs of this host wake the agent. It is root's
// alone.
type Socket struct {
	conn *net.UnixConn
	path string
	c    chan struct{}
}

// Listen opens the socket at a path, where an agent that was killed may have
// left its own.
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

// C receives when the agent was woken. It is never closed.
func (s *Socket) C() <-chan struct{} { return s.c }

// Close closes the socket and removes its file.
func (s *Socket) Close() error {
	err := os.Remove(s.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(s.conn.Close(), err)
}

// Ring wakes the agent that listens at a path. The error says that there is
// none.
func Ring(path string) error {
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte{1})
	return err
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
