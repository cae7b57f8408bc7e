package executor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/modules/printable"
)

// The multiplexing protocol of OpenSSH, as far as a session needs it: its
// PROTOCOL.mux, version 4. The master opens the session and serves the three
// files that it is given.
//
// Its proxy mode, which x/crypto speaks, is not used: a master in that mode
// ends, with every session of its user, when a client goes whose channel was
// refused or not yet confirmed.
const (
	muxVersion = 4

	muxHello         = 0x00000001
	muxNewSession    = 0x10000002
	muxDenied        = 0x80000002
	muxFailure       = 0x80000003
	muxSessionOpened = 0x80000006

	muxNoEscape  = 0xffffffff
	maxMuxPacket = 256 << 10
)

// A muxRefusal says that the master, or its host, refused a session.
type muxRefusal struct{ reason string }

func (r *muxRefusal) Error() string { return "refused: " + r.reason }

// A muxConn is a control socket. It carries one session, which ends with it.
type muxConn struct{ *net.UnixConn }

func (m muxConn) send(message any) error {
	body := ssh.Marshal(message)
	_, err := m.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

func (m muxConn) receive(message any) error {
	var size [4]byte
	if _, err := io.ReadFull(m, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxMuxPacket {
		return fmt.Errorf("a message of %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(m, body); err != nil {
		return err
	}
	return ssh.Unmarshal(body, message)
}

// hello returns an error unless a master is there that speaks our version. The
// host is not asked.
func (m muxConn) hello() error {
	type hello struct {
		Type, Version uint32
		Extensions    []byte `ssh:"rest"`
	}
	if err := m.send(&hello{Type: muxHello, Version: muxVersion}); err != nil {
		return err
	}
	var answer hello
	if err := m.receive(&answer); err != nil {
		return err
	}
	if answer.Type != muxHello || answer.Version != muxVersion {
		return fmt.Errorf("message %#x, version %d: not the protocol of an OpenSSH master", answer.Type, answer.Version)
	}
	return nil
}

// session has the master run a command, and returns when the host has granted
// the session. The error is a *muxRefusal if master or host said no.
func (m muxConn) session(command string, stdin, stdout, stderr *os.File) error {
	if err := m.send(&struct {
		Type, ID                                uint32
		Reserved                                string
		Terminal, X11, Agent, Subsystem, Escape uint32
		TerminalType, Command                   string
	}{Type: muxNewSession, Escape: muxNoEscape, Command: command}); err != nil {
		return err
	}
	for _, f := range []*os.File{stdin, stdout, stderr} {
		if _, _, err := m.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(f.Fd())), nil); err != nil {
			return err
		}
	}
	var answer struct {
		Type, ID uint32
		Rest     []byte `ssh:"rest"`
	}
	if err := m.receive(&answer); err != nil {
		return err
	}
	switch answer.Type {
	case muxSessionOpened:
		return nil
	case muxDenied, muxFailure:
		var why struct{ Reason string }
		if err := ssh.Unmarshal(answer.Rest, &why); err != nil {
			return err
		}
		return &muxRefusal{printable.Line(why.Reason)}
	}
	return fmt.Errorf("unexpected message %#x", answer.Type)
}

// wait returns when the master has closed the session.
func (m muxConn) wait() { io.Copy(io.Discard, m) }

// A muxSession is a session that runs, with our ends of its streams.
type muxSession struct {
	control               muxConn
	stdin, stdout, stderr *muxPipe
	heard                 *atomic.Int64 // when something came or went, in Unix nanoseconds
}

// A muxPipe notes when the host took part in a transfer: when something came from
// it, and when so much went to it that the buffers on the way cannot hold it,
// which is the only sign of the host during a long upload. A small write is not
// noted, since it fits into a buffer even if the host is gone.
type muxPipe struct {
	file  *os.File
	heard *atomic.Int64 // Unix nanoseconds
}

func (p *muxPipe) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	if n > 0 {
		p.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

func (p *muxPipe) Write(b []byte) (written int, err error) {
	const much = 32 << 10
	for len(b) > 0 && err == nil {
		var n int
		n, err = p.file.Write(b[:min(len(b), much)])
		if n == much {
			p.heard.Store(time.Now().UnixNano())
		}
		written, b = written+n, b[n:]
	}
	return written, err
}

func (p *muxPipe) Close() error { return p.file.Close() }

// startMuxSession runs a command over control. It does not close control when
// it fails.
func startMuxSession(control muxConn, command string) (*muxSession, error) {
	var files [6]*os.File // of three pipes: read and write ends
	for i := 0; i < len(files); i += 2 {
		var err error
		if files[i], files[i+1], err = os.Pipe(); err != nil {
			return nil, errors.Join(err, closeFiles(files[:i]...))
		}
	}
	defer closeFiles(files[0], files[3], files[5])
	heard := new(atomic.Int64)
	s := &muxSession{control, &muxPipe{files[1], heard}, &muxPipe{files[2], heard}, &muxPipe{files[4], heard}, heard}
	if err := control.session(command, files[0], files[3], files[5]); err != nil {
		s.closeStreams()
		return nil, err
	}
	return s, nil
}

func (s *muxSession) closeStreams() error {
	return closeFiles(s.stdin.file, s.stdout.file, s.stderr.file)
}

func closeFiles(files ...*os.File) error {
	var failed []error
	for _, f := range files {
		failed = append(failed, f.Close())
	}
	return errors.Join(failed...)
}

// Close makes the master close the session, and no more than that.
func (s *muxSession) Close() error {
	return errors.Join(s.control.Close(), s.closeStreams())
}
