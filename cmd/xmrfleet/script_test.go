package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xmrfleet/cmd/internal/release"
	"xmrfleet/cmd/xmrfleet/cache"
	"xmrfleet/cmd/xmrfleet/roster"
	"xmrfleet/hcl"
	"xmrfleet/hcl/hcltest"
	"xmrfleet/modules"
	"xmrfleet/modules/golden"
	"xmrfleet/plan"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"xmrfleet": main})
}

// TestScripts runs the program as its users do, without any host. $PORT is
// where one would be: a listener on 127.0.0.1 that hangs up.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       golden.Updating(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			d, err := listen()
			if err != nil {
				return err
			}
			env.Defer(func() { d.Close() })
			env.Values[door{}] = d
			env.Setenv("PORT", strconv.Itoa(d.Addr().(*net.TCPAddr).Port))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("MONERO_WALLET", hcltest.Wallet)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"connections": connections,
			"release":     makeRelease,
			"saveplan":    savePlan,
			"contract":    contract,
			"remembered":  remembered,
		},
	})
}

// exits CODE PROGRAM [ARG...] runs a program that has to end with this exit
// code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// A door counts who knocks and lets nobody in.
type door struct {
	net.Listener
	knocks *atomic.Int32
}

func listen() (door, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return door{}, err
	}
	d := door{l, new(atomic.Int32)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			d.knocks.Add(1)
			conn.Close()
		}
	}()
	return d, nil
}

// connections COUNT fails unless so many connections were made to $PORT.
func connections(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: connections count")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := int(ts.Value(door{}).(door).knocks.Load()); got != want {
		ts.Fatalf("%d connections, want %d", got, want)
	}
}

// release FILE [FLAW] makes an archive and sets $SHA256 to its checksum.
func makeRelease(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: release file [flaw]")
	}
	flaw := release.Sound
	if len(args) == 2 {
		flaw = release.Flaw(args[1])
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	ts.Check(err)
	sum := sha256.New()
	ts.Check(release.PackFlawed(io.MultiWriter(f, sum), release.Version, bytes.Repeat([]byte("miner"), 1000), flaw))
	ts.Check(f.Close())
	ts.Setenv("SHA256", hex.EncodeToString(sum.Sum(nil)))
}

// remembered FILE HOST ADDRESS lets an apply of the fleet file have made a host.
func remembered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: remembered file host address")
	}
	path, err := cache.Path("roster", ts.MkAbs(args[0]))
	ts.Check(err)
	path = filepath.Join(ts.Getenv("HOME"), ".cache", "xmrfleet", filepath.Base(path))
	ts.Check(cache.Write(path, map[string]any{"hosts": []roster.Host{{Name: args[1], Address: args[2], At: time.Now()}}}))
}

// savePlan FILE makes the plan of a fleet.hcl in which no host is as it should
// be, as if they had been read.
func savePlan(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: saveplan file")
	}
	in := plan.Inputs{Env: make(map[string]*string)}
	fleet, diags := hcl.Load(ts.MkAbs("fleet.hcl"), hcl.Options{Env: func(name string) (string, bool) {
		value := ts.Getenv(name)
		in.Env[name] = nil
		if value != "" {
			in.Env[name] = &value
		}
		return value, value != ""
	}})
	ts.Check(diags.Err())
	in.File = fleet.Text
	saved := plan.NewSaved(version, "7f3a", "", in)
	for _, h := range fleet.Hosts {
		saved.Add(h.Name, &plan.Plan{Facts: modules.Facts{Hostname: "m", Arch: "x86_64"}, Changes: []plan.Change{
			{Resource: "file /c", Change: modules.Change{Action: modules.Update, Before: "old\n", After: "new\n"}},
			{Resource: "service s", Change: modules.Change{Action: modules.Restart, Reason: "old config", Disruptive: true}},
		}})
	}
	ts.Check(saved.Write(ts.MkAbs(args[0])))
}
