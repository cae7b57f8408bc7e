package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"xmrfleet/executor"
)

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

// withinTimeout is the context of what is done with one host.
func (f connectionFlags) withinTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, f.Timeout, overtime(f.Timeout))
}

// An overtime is why a context ended by --timeout. It is what errors say.
type overtime time.Duration

func (o overtime) Error() string {
	return fmt.Sprintf("not done within --timeout %s", time.Duration(o))
}

// Is makes it what the end of such a context usually is.
func (o overtime) Is(target error) bool { return target == context.DeadlineExceeded }

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
