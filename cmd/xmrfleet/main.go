// Command xmrfleet brings a fleet of XMRig hosts to the state that fleet.hcl
// describes, over SSH, and tells how they are.
//
// Results go to standard output, progress and questions to standard error.
//
// Each command is a file of this package, named as the command is (start, stop
// and restart are control.go; status --watch and --why have files of their
// own). Beside them stands what commands share: program.go (one run, and the
// list of commands), identity.go (which run it is), streams.go, signals.go,
// report.go and exit.go (how it is told and how it ends), flags.go, fleet.go,
// each.go and converge.go (which hosts, and what is done with all of them),
// claim.go, twice.go and removed.go (all locks or none, machines with two names,
// hosts that left the file), heartbeat.go, tally.go and log.go. A command decides
// and hands data to package view, which prints it; what hosts are asked is package
// modules', how is package executor's. Parts with an idea of their own are
// packages below this one.
//
// To add a command, add a file with its struct and Run, a field to CLI in
// program.go, an example in help.go, an event with its text and JSON lines in
// package view, and a story in testdata/script.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup(1)
		signal.Notify(signals, syscall.SIGHUP)
	}
	// Where nobody reads the output any more, a write fails; without this, the
	// signal would end an apply half-way.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	p := &Program{
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Env:     os.LookupEnv,
		Signals: signals,
	}
	os.Exit(p.Run(context.Background(), os.Args[1:]))
}
