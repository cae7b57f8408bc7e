package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules/hint"
)

// results are where a run reports to, and what became of its hosts.
type results struct {
	report view.Reporter
	close  func() error // of the report; nil: nothing is open
	hosts  tally
}

const (
	formatText   = "text"
	formatJSON   = "json"
	formatGitHub = "github"
)

// reportFlags choose the reporters of a run.
type reportFlags struct {
	JSON     bool     `help:"Print JSON lines, for programs. Nothing is asked." name:"json"`
	JSONInto fileName `help:"Write JSON lines into this file as well." name:"json-into" placeholder:"FILE"`
	Format   *string  `help:"Print as text, json or github, which GitHub Actions gets by itself." enum:"text,json,github" placeholder:"FORMAT"`
}

// requested finds the flags for reporters in a command line that was not
// understood.
func requested(args []string) reportFlags {
	var f reportFlags
	for i, arg := range args {
		name, value, inline := strings.Cut(arg, "=")
		if !inline && i+1 < len(args) {
			value = args[i+1]
		}
		switch {
		case arg == "--":
			return f
		case arg == "--json" || name == "--format" && value == formatJSON:
			f.JSON = true
		case name == "--json-into":
			f.JSONInto = fileName(value)
		}
	}
	return f
}

// format is what is printed on standard output.
func (f reportFlags) format(env func(string) (string, bool)) (string, error) {
	actions, _ := env("GITHUB_ACTIONS")
	switch {
	case f.JSON && f.Format != nil && *f.Format != formatJSON:
		return "", fmt.Errorf("--json and --format %s exclude each other", *f.Format)
	case f.JSON:
		return formatJSON, nil
	case f.Format != nil:
		return *f.Format, nil
	case actions == "true":
		return formatGitHub, nil
	}
	return formatText, nil
}

// reportTo sets the reporters, once: a command that runs another keeps them.
// What a command prints past them is a JSON line too where JSON is printed.
func (p *Program) reportTo(f reportFlags) error {
	if p.report != nil {
		return nil
	}
	format, err := f.format(p.Env)
	if err != nil {
		return errors.Join(p.reportTo(reportFlags{JSON: f.JSON}), usage(err))
	}
	switch format {
	case formatJSON:
		lines := view.NewJSON(p.output, p.run, version, time.Now)
		p.out, p.err = view.NewPrinter(lines, false, 0), view.NewPrinter(lines, false, 0)
		p.report, p.silent = lines, true
	case formatGitHub:
		p.out = view.NewPrinter(view.Inert(p.output), p.out.Colour, p.out.Width)
		p.err = view.NewPrinter(view.Inert(p.Stderr), p.err.Colour, p.err.Width)
		p.report = p.gitHub()
	default:
		p.report = &view.Text{Out: p.out, Err: p.err}
	}
	if f.JSONInto == "" {
		return nil
	}
	// Two runs that write the same file spoil no line of each other.
	file, err := os.OpenFile(string(f.JSONInto), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write JSON lines: %w", err)
	}
	lines := view.NewJSON(file, p.run, version, time.Now)
	p.report = view.Tee{p.report, lines}
	p.close = func() error {
		if err := errors.Join(lines.Err(), file.Close()); err != nil {
			return fmt.Errorf("write JSON lines: %w", err)
		}
		return nil
	}
	return nil
}

// inJob reports whether a job of GitHub Actions reads the output.
func (p *Program) inJob() bool {
	r := p.report
	if t, ok := r.(view.Tee); ok {
		r = t[0]
	}
	_, ok := r.(*view.GitHub)
	return ok
}

// gitHub is the reporter for a job of GitHub Actions. Masks are for the
// runner's eyes only: not outside of a job, and not in a file.
func (p *Program) gitHub() view.Reporter {
	actions, _ := p.Env("GITHUB_ACTIONS")
	root, _ := p.Env("GITHUB_WORKSPACE")
	summary, _ := p.Env("GITHUB_STEP_SUMMARY")
	info, err := p.Stdout.Stat()
	return &view.GitHub{
		Log:      &view.Text{Out: p.out, Err: p.err},
		Commands: p.output,
		Mask:     actions == "true" && err == nil && !info.Mode().IsRegular(),
		Root:     root,
		Summary:  view.Summary{File: summary},
	}
}

// A usageError is a command line that makes no sense.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// usage points to the help of the command, as far as one was understood.
func usage(err error) error {
	words := "xmrfleet --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		words = "xmrfleet " + parse.Context.Selected().Name + " --help"
	}
	return hint.With(usageError{err}, "see `"+words+"`")
}
