// Command labctl runs labs by hand: real Debian hosts to try things on, and those
// that a red test left behind (see XMRFLEET_KEEP_LAB). It is never shipped and
// holds no knowledge of its own: what a lab can do is in package lab, and each
// subcommand is one call of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"xmrfleet/cmd/internal/lab"
)

type cli struct {
	Up     up     `cmd:"" help:"Boot a lab that stays until down."`
	Down   down   `cmd:"" help:"End a lab and remove every trace of it."`
	List   list   `cmd:"" help:"List the labs and their hosts."`
	Cut    cut    `cmd:"" help:"Pull a host's network cable."`
	Join   join   `cmd:"" help:"Plug a host's network cable in again."`
	Exec   execIn `cmd:"" help:"Run a command as root inside a host, without SSH."`
	Stop   stop   `cmd:"" help:"Power a host off."`
	Start  start  `cmd:"" help:"Power a host on."`
	Reboot reboot `cmd:"" help:"Reboot a host."`
	Fresh  fresh  `cmd:"" help:"Replace a host by one with an empty disk."`
	Image  image  `cmd:"" help:"Build the root image, unless the cache has it."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser := kong.Parse(&cli{}, kong.Name("labctl"), kong.Description("Real Debian hosts on this machine."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	err := parser.Run()
	var status exitStatus
	if errors.As(err, &status) {
		os.Exit(int(status))
	}
	parser.FatalIfErrorf(err)
}

// system is embedded in the commands that may build an image.
type system struct {
	Release string   `help:"Debian release of the hosts: bullseye, bookworm (the default) or trixie."`
	Package []string `help:"Package that the hosts have, beside the usual ones."`
}

func (s system) of() lab.System { return lab.System{Release: s.Release, Packages: s.Package} }

type up struct {
	system
	Name  string   `arg:"" help:"Name of the lab."`
	Hosts []string `arg:"" help:"Names of its hosts."`
}

func (u up) Run(ctx context.Context) error {
	if _, err := lab.Image(ctx, u.of(), os.Stderr); err != nil {
		return err
	}
	l, err := lab.Up(ctx, lab.Options{Name: u.Name, Hosts: u.Hosts, System: u.of(), Detached: true})
	if err != nil {
		return err
	}
	fmt.Printf("%d hosts are up; try: ssh -F %s %s\n", len(l.Hosts), l.SSHConfig(), l.Hosts[0].Name)
	return nil
}

type down struct {
	Name string `arg:"" help:"Name of the lab."`
}

func (d down) Run() error { return lab.Down(d.Name) }

type list struct{}

func (list) Run() error {
	names, err := lab.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		l, err := lab.Open(name)
		if err != nil {
			fmt.Printf("%s: %v\n", name, err)
			continue
		}
		for _, h := range l.Hosts {
			state := "off"
			if h.Running() {
				state = "on"
			}
			fmt.Printf("%s\t%s\t%s\t%s\n", name, h.Name, h.Address(), state)
		}
	}
	return nil
}

type host struct {
	Lab  string `arg:"" help:"Name of the lab."`
	Host string `arg:"" help:"Name of the host."`
}

func (h host) find() (*lab.Host, error) {
	l, err := lab.Open(h.Lab)
	if err != nil {
		return nil, err
	}
	if found := l.Host(h.Host); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("lab %s has no host %s", h.Lab, h.Host)
}

func (h host) do(ctx context.Context, action func(*lab.Host, context.Context) error) error {
	found, err := h.find()
	if err != nil {
		return err
	}
	return action(found, ctx)
}

type (
	cut    struct{ host }
	join   struct{ host }
	stop   struct{ host }
	start  struct{ host }
	reboot struct{ host }
	fresh  struct{ host }
)

func (c cut) Run(ctx context.Context) error    { return c.do(ctx, (*lab.Host).Cut) }
func (c join) Run(ctx context.Context) error   { return c.do(ctx, (*lab.Host).Join) }
func (c stop) Run(ctx context.Context) error   { return c.do(ctx, (*lab.Host).Stop) }
func (c start) Run(ctx context.Context) error  { return c.do(ctx, (*lab.Host).Start) }
func (c reboot) Run(ctx context.Context) error { return c.do(ctx, (*lab.Host).Reboot) }
func (c fresh) Run(ctx context.Context) error  { return c.do(ctx, (*lab.Host).Recreate) }

type execIn struct {
	host
	Command []string `arg:"" passthrough:"" help:"Command and arguments."`
}

func (e execIn) Run(ctx context.Context) error {
	found, err := e.find()
	if err != nil {
		return err
	}
	argv := e.Command
	if argv[0] == "--" {
		argv = argv[1:]
	}
	cmd := found.Command(ctx, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitStatus(max(1, exit.ExitCode()))
	}
	return err
}

// exitStatus is how a command inside a host ended, and how this program ends.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

type image struct{ system }

func (i image) Run(ctx context.Context) error {
	dir, err := lab.Image(ctx, i.of(), os.Stderr)
	if err == nil {
		fmt.Println(dir)
	}
	return err
}
