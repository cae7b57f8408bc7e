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
	d := &Dialer{ConnectTimeout: time.Hour}
	d.init()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	d.offers(ctx, &endpoint{agentSocket: mute(t)})
	d.Close()
	if took := time.Since(begun); took > minutes {
		t.Errorf("it took %s", took)
	}
}

// A slowSSHAgent signs when it is touched.
type slowSSHAgent struct {
	agent.Agent
	asked   context.CancelFunc
	touched <-chan struct{}
}

func (a slowSSHAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	a.asked()
	<-a.touched
	return a.Agent.Sign(key, data)
}

func TestSlowSSHAgent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		connect, touch time.Duration // the limits
		then           func(touch func(), giveUp context.CancelCauseFunc)
		kind           Kind
		want           string
	}{
		{"touched in time", 5 * time.Second, minutes, func(touch func(), _ context.CancelCauseFunc) {
			time.Sleep(6 * time.Second) // longer than a connection may take
			touch()
		}, "", ""},
		{"not touched", minutes, time.Second, func(func(), context.CancelCauseFunc) {},
			AuthRefused, "log in as tester@ADDRESS: ssh-agent SOCKET: no signature within 1s"},
		{"given up by the caller", minutes, minutes, func(_ func(), giveUp context.CancelCauseFunc) { giveUp(context.DeadlineExceeded) },
			TimedOut, "connect ADDRESS: context deadline exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, nil)
			d := dialer(t, map[string]*sshtest.Server{"h": server})
			d.ConnectTimeout, d.timing.touch = test.connect, test.touch
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
			ctx, giveUp := context.WithCancelCause(t.Context())
			defer giveUp(nil)
			asked, ask := context.WithCancel(t.Context())
			touched, touch := context.WithCancel(t.Context())
			defer touch()
			context.AfterFunc(asked, func() { test.then(touch, giveUp) })
			socket := serveSSHAgent(t, slowSSHAgent{keys, ask, touched.Done()})
			config := strings.ReplaceAll(read(t, d.SSHConfig), "IdentitiesOnly yes\n  IdentityAgent none", "IdentityAgent "+socket)
			os.WriteFile(d.SSHConfig, []byte(strings.ReplaceAll(config, server.IdentityFile(), "none")), 0o600)

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
