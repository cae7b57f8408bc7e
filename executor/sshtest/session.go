package sshtest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// session runs one command. As with sshd the command's streams are pipes, and
// the end of the connection closes them and does nothing else to it.
func (s *Server) session(ch ssh.NewChannel) {
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	for r := range requests {
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		var line struct{ Command string }
		if err := ssh.Unmarshal(r.Payload, &line); err != nil {
			r.Reply(false, nil)
			return
		}
		s.Execs.Add(1)
		r.Reply(true, nil)
		go ssh.DiscardRequests(requests)
		status := struct{ Status uint32 }{s.run(channel, line.Command)}
		channel.SendRequest("exit-status", false, ssh.Marshal(status))
		return
	}
}

func (s *Server) run(channel ssh.Channel, command string) uint32 {
	var pipes [6]*os.File // stdin, stdout, stderr: read and write ends
	for i := 0; i < len(pipes); i += 2 {
		var err error
		if pipes[i], pipes[i+1], err = os.Pipe(); err != nil {
			return 255
		}
	}
	cmd := s.command(command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes[0], pipes[3], pipes[5]
	err := cmd.Start()
	for _, theirs := range []int{0, 3, 5} {
		pipes[theirs].Close()
	}
	if err != nil {
		return 255
	}
	go func() {
		io.Copy(pipes[1], channel)
		pipes[1].Close()
	}()
	copied := make(chan struct{})
	go copyOut(channel, pipes[2], copied)
	go copyOut(channel.Stderr(), pipes[4], copied)
	err = cmd.Wait()
	<-copied
	<-copied
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return uint32(exit.ExitCode())
	}
	return 0
}

func copyOut(to io.Writer, from *os.File, done chan<- struct{}) {
	io.Copy(to, from)
	from.Close() // what still writes gets SIGPIPE, as from sshd
	done <- struct{}{}
}

// command is the login shell.
func (s *Server) command(command string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", s.Rc+"\n"+command)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	switch {
	case len(s.Mounts) > 0:
		s.mount(cmd)
	case s.UID != 0 && os.Getuid() == 0:
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.UID, Gid: s.UID}
	}
	return cmd
}
