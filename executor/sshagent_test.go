package executor

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"xmrfleet/executor/sshtest"
	"xmrfleet/modules/hint"
)

// mute listens and answers nothing.
func mute(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return socket
}

// warnings is what a dialer says at the level Warn, a line each.
func warnings(d *Dialer) *strings.Builder {
	var b strings.Builder
	d.Log = slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
	return &b
}

func TestMuteSSHAgentIsLeftAside(t *testing.T) {
	t.Parallel()
	_, private := sshtest.NewKey(t)
	file := filepath.Join(t.TempDir(), "id")
	os.WriteFile(file, private, 0o600)
	d := &Dialer{ConnectTimeout: 200 * time.Millisecond}
	said := warnings(d)
	d.init()
	socket := mute(t)
	for range 2 {
		o := d.offers(t.Context(), &endpoint{agentSocket: socket, identities: []string{file}})
		if len(o.list) != 1 || o.list[0].from != file {
			t.Errorf("got %v, want the file's key", o.list)
		}
	}
	d.Close()
	if want := fmt.Sprintf("level=WARN msg=\"ssh-agent %s: no answer within 200ms\"\n", socket); said.String() != want {
		t.Errorf("got %swant %s", said, want)
	}
}

func TestMuteSSHAgentHeedsTheCaller(t *testing.T) {
	t.Parallel()
	d := &Dialer{ConnectTimeout: time.Minute}
	d.init()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	d.offers(ctx, &endpoint{agentSocket: mute(t)})
	d.Close()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// slowSSHAgent takes its time to sign, as one that waits for a touch.
type slowSSHAgent struct {
	agent.Agent
	pause time.Duration
}

func (a slowSSHAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	time.Sleep(a.pause)
	return a.Agent.Sign(key, data)
}

func TestSlowSSHAgent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		pause, caller time.Duration
		kind          Kind
		want          string
	}{
		{"touched in time", time.Second, time.Minute, "", ""},
		{"not touched", 4 * time.Second, time.Minute, AuthRefused, "log in as tester@ADDRESS: ssh-agent SOCKET: no signature within 2s"},
		{"given up by the caller", 4 * time.Second, 1200 * time.Millisecond, TimedOut, "connect ADDRESS: context deadline exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, nil)
			d := dialer(t, map[string]*sshtest.Server{"h": server})
			d.ConnectTimeout, d.timing.touch = 500*time.Millisecond, 2*time.Second
			private, err := os.ReadFile(server.IdentityFile())
			if err != nil {
				t.Fatal(err)
			}
			raw, err := ssh.ParseRawPrivateKey(private)
			if err != nil {
				t.Fatal(err)
			}
			keys := agent.NewKeyring()
			keys.Add(agent.AddedKey{PrivateKey: raw})
			socket := serveSSHAgent(t, slowSSHAgent{keys, test.pause})
			config := strings.ReplaceAll(read(t, d.SSHConfig), "IdentitiesOnly yes\n  IdentityAgent none", "IdentityAgent "+socket)
			os.WriteFile(d.SSHConfig, []byte(strings.ReplaceAll(config, server.IdentityFile(), "none")), 0o600)

			ctx, cancel := context.WithTimeout(t.Context(), test.caller)
			defer cancel()
			s, _, err := d.Open(ctx, Target{Name: "h"}, OpenOptions{})
			got := ""
			if err == nil {
				s.Close()
			} else {
				got = strings.NewReplacer(server.Addr(), "ADDRESS", socket, "SOCKET").Replace(err.Error())
			}
			if got != test.want || hint.KindOf(err) != test.kind {
				t.Errorf("got %q %s\nwant %q %s", hint.KindOf(err), got, test.kind, test.want)
			}
		})
	}
}
