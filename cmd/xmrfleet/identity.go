package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"slices"

	"xmrfleet/cmd/xmrfleet/lastrun"
	"xmrfleet/executor"
)

// An identity says which run this is: to whoever finds a host locked by it, to
// the hosts' journals, and in every line of JSON.
type identity struct {
	run     string   // random
	args    []string // the command line
	command string   // "plan"; empty: the command line was not understood
	verb    string   // the same, but what is run again by rerun
}

func newIdentity(args []string) identity {
	id := make([]byte, 4)
	rand.Read(id)
	return identity{run: hex.EncodeToString(id), args: args}
}

// holder describes the run as the holder of hosts' locks.
func (i identity) holder() executor.Holder {
	h := executor.Holder{Run: i.run, User: "unknown", PID: os.Getpid(), Command: "xmrfleet " + i.verb}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	h.Machine, _ = os.Hostname()
	return h
}

// who names the run in the journals of hosts.
func who(h executor.Holder) string {
	return fmt.Sprintf("run %s by %s from %s, xmrfleet %s", h.Run, h.User, h.Machine, version)
}

// retry is the command line that does the same on the hosts that failed, with
// secrets masked, or "" if none did.
func (p *Program) retry(failed []string) string {
	if len(failed) == 0 {
		return ""
	}
	return lastrun.ShellLine(lastrun.Restricted(p.maskedArgs(), failed))
}

// remember writes down on which hosts this run failed, and on which it went
// well. That it cannot is worth a word only if there are failed ones.
func (p *Program) remember(file string, failed, done []string) {
	r := lastrun.Run{Command: p.verb, Args: p.maskedArgs(), Failed: failed}
	r.Withheld = !slices.Equal(r.Args, p.args)
	if err := lastrun.Save(file, r, done); err != nil && len(failed) > 0 {
		fmt.Fprintf(p.err, "The hosts that failed are not remembered for `xmrfleet rerun`: %v\n", err)
	}
}

func (p *Program) maskedArgs() []string {
	args := make([]string, len(p.args))
	for i, a := range p.args {
		args[i] = p.out.Mask(a)
	}
	return args
}
