package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules/hint"
)

// Version is set by the build.
var version = "dev"

// A Program is one run of xmrfleet with the world it runs in.
type Program struct {
	Stdin          *os.File
	Stdout, Stderr *os.File
	Env            func(string) (string, bool)
	Signals        <-chan os.Signal

	out, err *view.Printer
	output   *output // what out writes to
	args     []string

	run     string // the identity of this run, in every record of it
	command string // "plan"
	verb    string // the same, but what is run again by rerun
	report  reporter
	close   func() error // of the report; nil: nothing is open
	silent  bool         // only programs read the output: nobody is to be asked
	hosts   tally        // what became of them
	text    []byte       // of the fleet file
	env     map[string]*string

	// stop is closed by the first signal: nothing new starts. A second one
	// ends the context of everything that runs, and the third closes leave:
	// nobody waits any more.
	stop, leave chan struct{}
	mu          sync.Mutex
	signal      os.Signal // the first one
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
	Rerun    rerunCmd    `cmd:"" help:"Repeat the last command on the hosts that failed in it."`
	Facts    factsCmd    `cmd:"" help:"Show what the hosts are."`
	Start    startCmd    `cmd:"" help:"Start miners."`
	Stop     stopCmd     `cmd:"" help:"Stop miners."`
	Restart  restartCmd  `cmd:"" help:"Restart miners."`
	History  historyCmd  `cmd:"" help:"Show what happened within the last 24 hours."`
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
	p.args, p.run = args, newRunID()
	p.stop, p.leave = make(chan struct{}), make(chan struct{})
	p.output = newOutput(p.Stdout)
	p.out = view.NewPrinter(p.output, p.colour(p.Stdout), width(p.Stdout))
	p.err = view.NewPrinter(p.Stderr, p.colour(p.Stderr), width(p.Stderr))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go p.watchSignals(cancel)

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

// end reports that the run is over, and returns its exit code.
func (p *Program) end(err error, began time.Time) int {
	signal := p.interruptedBy()
	return p.finish(p.exit(err, signal), signal, time.Since(began))
}

// exit turns what a command returned into the exit code, and reports it unless
// that was done.
func (p *Program) exit(err error, signal os.Signal) int {
	var code exitCode
	switch {
	case signal != nil:
		return signalCode(signal)
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, syscall.EPIPE), errors.Is(err, p.output.err): // nobody reads on, or finish tells
		return exitError
	}
	p.report.Report(view.Failed{Err: err})
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case hint.KindOf(err) == view.Stale:
		return exitDeclined
	}
	return exitError
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

// colour follows no-color.org: any value of NO_COLOR but the empty one.
func (p *Program) colour(f *os.File) bool {
	no, _ := p.Env("NO_COLOR")
	kind, _ := p.Env("TERM")
	return no == "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal, 0 for anything else.
func width(f *os.File) int {
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}
