package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"xmrfleet/plan"
)

// Version is set by the build.
var version = "dev"

// A Program is one run of xmrfleet with the world it runs in.
type Program struct {
	Stdin          *os.File
	Stdout, Stderr *os.File
	Env            func(string) (string, bool)
	Signals        <-chan os.Signal

	identity
	streams
	signals
	results
	inputs plan.Inputs // what the fleet file was read with
}

// CLI is what the command line may say.
type CLI struct {
	NoColor bool             `help:"Plain text, no colours." name:"no-color"`
	Version kong.VersionFlag `help:"Print the version and exit."`
	Report  reportFlags      `embed:""`

	Plan     planCmd     `cmd:"" help:"Show what apply would change. Changes nothing."`
	Apply    applyCmd    `cmd:"" help:"Make the hosts what fleet.hcl says."`
	Status   statusCmd   `cmd:"" help:"Show how the miners are."`
	Logs     logsCmd     `cmd:"" help:"Show the hosts' journals, in the order of time."`
	Exec     execCmd     `cmd:"" help:"Run a command on the hosts."`
	Rerun    rerunCmd    `cmd:"" help:"Repeat what failed last, on the hosts where it failed."`
	Facts    factsCmd    `cmd:"" help:"Show what the hosts are."`
	Start    startCmd    `cmd:"" help:"Start miners."`
	Stop     stopCmd     `cmd:"" help:"Stop miners."`
	Restart  restartCmd  `cmd:"" help:"Restart miners."`
	History  historyCmd  `cmd:"" help:"Show what happened, by default within 24 hours."`
	Forget   forgetCmd   `cmd:"" help:"Forget hosts that left the fleet file."`
	Validate validateCmd `cmd:"" help:"Check fleet.hcl, without any network."`
	Fmt      fmtCmd      `cmd:"" help:"Bring fleet.hcl into the canonical format."`

	Init       initCmd       `cmd:"" help:"Write a commented fleet.hcl to begin with."`
	Render     renderCmd     `cmd:"" help:"Show the files of a host as they would be written."`
	SSHCheck   sshCheckCmd   `cmd:"" name:"ssh-check" help:"Explain how hosts are reached, or why they are not."`
	Man        manCmd        `cmd:"" help:"Print the manual."`
	Completion completionCmd `cmd:"" help:"Print a script that completes command lines in a shell."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Complete a command line, for the scripts of completion."`
}

const description = `Push deployer for XMRig hosts: fleet.hcl describes them, plan shows the difference over SSH, apply makes it go away.

Exit codes:
  0  done, or nothing to do
  1  error, nothing was changed
  2  there are changes (plan --detailed-exitcode)
  3  partial: some hosts failed or were not reached, or one is left between two states
  5  declined at the prompt, or the saved plan is stale
  6  locked by another run
  64 wrong usage
  130, 143  interrupted, after the report`

// Run executes the command line and returns the exit code. It prints every
// error itself.
func (p *Program) Run(ctx context.Context, args []string) int {
	began := time.Now()
	p.identity = newIdentity(args)
	p.signals.init()
	p.openStreams()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go p.signals.watch(p.Signals, cancel)

	ended := make(chan int, 2)
	go func() { ended <- p.end(p.dispatch(ctx, args), began) }()
	select {
	case code := <-ended:
		return code
	case <-p.leave:
	}
	// It hangs, as in a file that is a pipe which nobody fills, or in output
	// that nobody reads.
	go func() { ended <- p.end(nil, began) }()
	select {
	case code := <-ended:
		return code
	case <-time.After(time.Second):
		return signalCode(p.interruptedBy())
	}
}

func (p *Program) dispatch(ctx context.Context, args []string) error {
	var cli CLI
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("xmrfleet"),
		kong.Description(description),
		kong.Vars{"version": version},
		kong.Writers(p.out, p.err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // the tags of CLI are wrong
	}
	describe(parser.Model)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help and --version
		return exitCode(exited)
	}
	if err != nil {
		return errors.Join(p.reportTo(requested(args)), usage(err))
	}
	p.verb, _, _ = strings.Cut(command.Command(), " ")
	if p.command != "" { // rerun reports as its own command line says
		return command.Run()
	}
	p.command = p.verb
	if cli.NoColor {
		p.out.Colour, p.err.Colour = false, false
	}
	if err := p.reportTo(cli.Report); err != nil {
		return err
	}
	return command.Run()
}
