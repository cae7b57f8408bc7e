// Command xmrfleet brings a fleet of XMRig hosts to the state that fleet.hcl
// describes, over SSH, and tells how they are.
//
// Results go to standard output, progress and questions to standard error.
// Each command is a file of this package; a command decides, package view
// prints.
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
	// Whoever closes our output ends the output, not an apply half-way.
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
