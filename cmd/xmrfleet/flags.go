package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"xmrfleet/cmd/xmrfleet/lastrun"
	"xmrfleet/cmd/xmrfleet/selector"
	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// A fileName is the value of a flag. It is not empty where the flag is given:
// "apply $PLAN" must not mean apply where the variable is empty.
type fileName string

// UnmarshalText is called by kong.
func (f *fileName) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("a file name is empty")
	}
	*f = fileName(text)
	return nil
}

// fleetFlags say which fleet file is meant.
type fleetFlags struct {
	File string            `help:"The fleet file (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Var  map[string]string `help:"Value of a variable of the fleet file." mapsep:"none" placeholder:"NAME=VALUE"`
}

// hostFlags are those of a command that goes to hosts without a plan.
type hostFlags struct {
	fleetFlags
	selector.Flags
	connectionFlags
}

// choose returns the selected hosts.
func (f hostFlags) choose(fleet *hcl.Fleet) ([]hcl.Host, error) {
	return f.Hosts(fleet, lastrun.Failed)
}

// chooseToChange is choose for a command that changes hosts.
func (f hostFlags) chooseToChange(fleet *hcl.Fleet) ([]hcl.Host, error) {
	return f.ToChange(fleet, lastrun.Failed)
}

// connectionFlags are those of every command that talks to hosts.
type connectionFlags struct {
	SSHConfig      string        `help:"Use this file in place of ~/.ssh/config." name:"ssh-config" env:"XMRFLEET_SSH_CONFIG" placeholder:"FILE"`
	Parallelism    int           `help:"Connections that are set up at a time (${default})." default:"64" placeholder:"N"`
	ConnectTimeout time.Duration `help:"Longest time until a host is logged in to (${default})." default:"5s" placeholder:"DURATION"`
	Timeout        time.Duration `help:"Longest time for one host (${default})." default:"10m" placeholder:"DURATION"`
	Verbose        bool          `help:"Say how connections were made and each change as it happens." short:"v"`
}

func (f connectionFlags) Validate() error {
	if f.Parallelism < 1 || f.ConnectTimeout <= 0 || f.Timeout <= 0 {
		return errors.New("--parallelism, --connect-timeout and --timeout must be positive")
	}
	return nil
}

// withinTimeout returns a context for what is done with one host.
func (f connectionFlags) withinTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, f.Timeout, timeoutCause(f.Timeout))
}

// A timeoutCause is why a context ended by --timeout. It is what errors say.
type timeoutCause time.Duration

func (c timeoutCause) Error() string {
	return fmt.Sprintf("not done within --timeout %s", time.Duration(c))
}

// Is makes errors.Is find what the end of such a context usually is.
func (c timeoutCause) Is(target error) bool { return target == context.DeadlineExceeded }

func (f connectionFlags) dialer(log io.Writer) *executor.Dialer {
	d := &executor.Dialer{
		SSHConfig:      f.SSHConfig,
		ConnectTimeout: f.ConnectTimeout,
		Parallelism:    f.Parallelism,
	}
	level := slog.LevelWarn
	if f.Verbose {
		level = slog.LevelDebug
	}
	d.Log = slog.New(logHandler{log, level})
	return d
}
