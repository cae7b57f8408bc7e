// Package sshtest is an SSH server for tests. It runs what it is asked for by
// a real /bin/sh on this machine, as sshd would without a terminal: a command
// outlives the connection that started it. A [Proxy] stands before it, or before a
// real sshd: it counts round trips, holds what is sent, and is cut like a cable.
//
// It is for tests only. A further way for a server to misbehave is a field of
// Server.
package sshtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// A Server is one host. The exported fields are set before [Server.Start].
type Server struct {
	// Env is added to the environment of commands.
	Env []string

	// UID is who commands run as; 0: who runs the test.
	UID uint32

	// Rc is a script that the login shell runs before the command, and whose
	// output therefore comes first.
	Rc string

	// Mounts are directories that commands see in another place: path on the
	// host to directory of the test. It takes root or user namespaces; ask
	// [CanMount]. A directory of stand-ins over /usr/local/sbin comes first on
	// the PATH of the fleet's scripts.
	Mounts map[string]string

	Banner   string // shown during the login
	Mute     bool   // accepts connections and never says a word
	Refuse   int    // connections to hang up on before a word is said
	Greeting string // what those are told

	Conns atomic.Int32 // connections that logged in
	Execs atomic.Int32 // commands that were run

	// HostKey is made by Start if it is nil.
	HostKey ssh.Signer

	addr     string
	listener net.Listener
	dir      string
	userKey  ssh.Signer
	mu       sync.Mutex
	open     map[net.Conn]bool
	refused  int
}

// Start serves on a free port of the loopback until the test ends.
func Start(t testing.TB, s *Server) *Server {
	t.Helper()
	if s == nil {
		s = &Server{}
	}
	s.dir = t.TempDir()
	s.open = map[net.Conn]bool{}
	if s.HostKey == nil {
		s.HostKey, _ = NewKey(t)
	}
	var private []byte
	s.userKey, private = NewKey(t)
	write(t, s.IdentityFile(), string(private))
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.addr = s.listener.Addr().String()
	t.Cleanup(func() {
		s.listener.Close()
		s.Drop()
	})
	go s.accept()
	return s
}

// NewKey makes an Ed25519 key and its file's text.
func NewKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Addr is host:port.
func (s *Server) Addr() string { return s.addr }

// IdentityFile is the private key that the server accepts.
func (s *Server) IdentityFile() string { return filepath.Join(s.dir, "id_ed25519") }

// HostKeyLine is the host's key as fleet.hcl pins it.
func (s *Server) HostKeyLine() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.HostKey.PublicKey())))
}

// Drop ends all connections at once, as a fault of the network would.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
	}
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		refuse := s.refused < s.Refuse
		if refuse {
			s.refused++
		}
		s.mu.Unlock()
		switch {
		case refuse:
			io.WriteString(c, s.Greeting)
			c.Close()
		case !s.Mute:
			go s.serve(c)
		}
	}
}

func (s *Server) serve(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(s.userKey.PublicKey().Marshal()) {
				return nil, fmt.Errorf("unknown key")
			}
			return nil, nil
		},
	}
	if s.Banner != "" {
		config.BannerCallback = func(ssh.ConnMetadata) string { return s.Banner }
	}
	config.AddHostKey(s.HostKey)
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	s.Conns.Add(1)
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			go s.session(ch)
		case "direct-tcpip":
			go forward(ch)
		default:
			ch.Reject(ssh.UnknownChannelType, "no such channel")
		}
	}
}

// forward makes the server a bastion.
func forward(ch ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &to); err != nil {
		ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	c, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		ch.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	channel, requests, err := ch.Accept()
	if err != nil {
		c.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		io.Copy(c, channel)
		c.Close()
	}()
	io.Copy(channel, c)
	channel.Close()
}
