package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"xmrfleet/cmd/xmrfleet/lastrun"
	"xmrfleet/modules/hint"
)

type rerunCmd struct {
	File    string `help:"The fleet file (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Command string `arg:"" optional:"" enum:",apply,start,stop,restart,exec" default:"" help:"Which one: apply, start, stop, restart or exec."`
}

func (c *rerunCmd) Help() string {
	return `The last apply, start, stop, restart or exec that failed somewhere is repeated with the same arguments and in the same directory, on the hosts that failed in it or were not reached. What went well there since is not repeated. The last run of each command is remembered: "rerun apply" is about apply, whatever failed after it, and so is "-l @failed:apply".`
}

func (c *rerunCmd) Run(ctx context.Context, p *Program) error {
	r, err := lastrun.Of(c.File, c.Command)
	if err != nil {
		return err
	}
	if len(r.Failed) == 0 {
		fmt.Fprintf(p.out, "Nothing to rerun: no host failed in the last run (%s).\n", r)
		return nil
	}
	args := lastrun.Restricted(r.Args, r.Failed)
	if r.Withheld {
		return hint.With(errors.New("rerun: the last command line held secrets, which are not kept"), "say it again yourself: "+lastrun.ShellLine(args))
	}
	if err := os.Chdir(r.Dir); err != nil {
		return fmt.Errorf("rerun: %w", err)
	}
	fmt.Fprintln(p.err, lastrun.ShellLine(args))
	p.args = args
	return p.dispatch(ctx, args)
}
