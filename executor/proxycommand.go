package executor

import (
	"bytes"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"xmrfleet/modules/printable"
)

// A commandConn is a connection through the standard input and output of a
// ProxyCommand. Deadlines have no effect on it; it is closed instead.
type commandConn struct {
	io.Reader
	io.WriteCloser
	cmd    *exec.Cmd
	stderr bytes.Buffer // read after the command has ended
	once   sync.Once
}

func dialCommand(command string) (*commandConn, error) {
	c := &commandConn{cmd: exec.Command("/bin/sh", "-c", "exec "+command)}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Reader, c.WriteCloser = out, in
	c.cmd.Stderr = &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.WaitDelay = time.Second
	return c, c.cmd.Start()
}

// Close gives the command a moment to end by itself and to say why, and then
// ends it with all its processes.
func (c *commandConn) Close() error {
	c.once.Do(func() {
		kill := func() { syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }
		c.WriteCloser.Close()
		timer := time.AfterFunc(time.Second/2, kill)
		c.cmd.Wait()
		timer.Stop()
		kill()
	})
	return nil
}

// complaint returns what the command printed on standard error, in one line.
func (c *commandConn) complaint() string {
	c.Close()
	return printable.Line(c.stderr.String())
}

// A proxyCommandError is what a ProxyCommand printed when it gave no connection.
type proxyCommandError struct{ text string }

func (e *proxyCommandError) Error() string { return "ProxyCommand: " + e.text }

// reason reads the words of the operating system, which such commands repeat.
func (e *proxyCommandError) reason() Reason {
	switch {
	case strings.Contains(e.text, "connection refused"):
		return ConnectionRefused
	case strings.Contains(e.text, "no route"), strings.Contains(e.text, "unreachable"):
		return NoRoute
	}
	return Unreachable
}

func (c *commandConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *commandConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *commandConn) SetDeadline(time.Time) error      { return nil }
func (c *commandConn) SetReadDeadline(time.Time) error  { return nil }
func (c *commandConn) SetWriteDeadline(time.Time) error { return nil }
