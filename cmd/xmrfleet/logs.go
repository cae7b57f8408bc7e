package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules/agent"
)

type logsCmd struct {
	File string            `help:"The fleet file (${default})." default:"fleet.hcl" placeholder:"FILE"`
	Var  map[string]string `help:"Value of a variable of the fleet file." mapsep:"none" placeholder:"NAME=VALUE"`
	selection
	connectionFlags
	Follow bool     `help:"Go on with what comes, until Ctrl-C." short:"f"`
	Lines  *int     `help:"Only the last lines of each host (20 without --since)." short:"n" placeholder:"N"`
	Since  string   `help:"Only what is younger: 15m, 2h, or a time as journalctl takes it." placeholder:"TIME"`
	Agent  bool     `help:"The health agent's journal, in place of the miner's."`
	Hosts  []string `arg:"" optional:"" name:"host" help:"The hosts, as --limit takes them."`
}

func (c *logsCmd) Help() string {
	return `The journals of all hosts in one, by the hosts' own clocks, in your time zone.`
}

// defaultLines of each host are shown where nothing is said.
const defaultLines = 20

// journalFlags ask for our namespace and the default one, in which PID 1 tells
// of starts and stops.
var journalFlags = []string{"--quiet", "--no-pager", "--all", "--namespace=+xmrig", "--output=json",
	"--output-fields=MESSAGE,SYSLOG_IDENTIFIER"}

const logScript = `exec journalctl "$@"`

// lastScript prints the last --lines behind --since. Forwards, journalctl
// would print the first ones.
const lastScript = `
exec 3>&1
exit "$({ { journalctl "$@" --reverse; echo $? >&4; } | tac >&3; } 4>&1)"`

// followScript prints what is there, the cursor of its last entry, and what
// comes. $1 and $2 are flags for the first part alone. Where that has nothing,
// the cursor is that of the last entry of all before it, if there is one:
// journalctl says by status 1 that there is none. The last lines are got as by
// lastScript.
const followScript = `
some=$1 since=$2 order=${1:+tac}
shift 2
cursor=$(journalctl "$@" --lines=0 --show-cursor)
cursor=${cursor#-- cursor: }
{ journalctl "$@" ${some:+"$some" --reverse} ${since:+"$since"} || echo "failed: $?"; } | "${order:-cat}" | {
	while IFS= read -r line; do
		case $line in
		*'"__CURSOR":"'*) cursor=${line#*'"__CURSOR":"'} cursor=${cursor%%'"'*} ;;
		'failed: '*) exit "${line#failed: }" ;;
		esac
		printf '%s\n' "$line"
	done
	printf '{"TOLD":"%s"}\n' "$cursor"
	exec journalctl "$@" --follow --no-tail ${cursor:+"--after-cursor=$cursor"}
}`

func (c *logsCmd) Run(ctx context.Context, p *Program) error {
	c.Limit = append(c.Limit, c.Hosts...)
	hosts, err := p.choose(fleetFlags{File: c.File, Var: c.Var}, c.hosts)
	if err != nil {
		return err
	}
	if c.Follow {
		c.Timeout = 0
	}
	ctx, cancel := p.output.whileRead(ctx)
	defer cancel()
	t := newTail(p, hosts, c.unit())
	read := make(chan []executor.Outcome[struct{}])
	go func() {
		read <- onEach(ctx, p, c.connectionFlags, hosts, 0, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (struct{}, error) {
			r := &reading{logsCmd: c, host: h, tail: t}
			read := r.read
			if c.Follow {
				read = r.follow
			}
			err := read(ctx, d)
			t.end(h.Name, err)
			return struct{}{}, err
		})
	}()
	return count(p, t.show(c.Follow, read))
}

func (c *logsCmd) unit() string {
	if c.Agent {
		return agent.Unit
	}
	return agent.MinerUnit
}

// journal is which journal, and how it is printed.
func (c *logsCmd) journal() []string {
	return append(slices.Clone(journalFlags), "--unit="+c.unit())
}

// journalctl is the script that reads a journal, and its arguments.
func (c *logsCmd) journalctl() (script string, args []string) {
	some, since := "", ""
	switch {
	case c.Lines != nil:
		some = "--lines=" + strconv.Itoa(*c.Lines)
	case c.Since == "":
		some = "--lines=" + strconv.Itoa(defaultLines)
	}
	if c.Since != "" {
		since = "--since=" + sinceWhen(c.Since)
	}
	common := c.journal()
	if c.Follow {
		return followScript, append([]string{some, since}, common...)
	}
	if c.Lines != nil && since != "" {
		return lastScript, append(common, some, since)
	}
	return logScript, slices.DeleteFunc(append(common, some, since), func(flag string) bool { return flag == "" })
}

// sinceWhen makes of a duration a time that a host counts by its own clock.
func sinceWhen(text string) string {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return fmt.Sprintf("-%dus", d.Microseconds())
	}
	return text
}

func (c *logsCmd) Validate() error {
	if c.Lines != nil && *c.Lines < 0 {
		return errors.New("--lines must not be negative")
	}
	return c.connectionFlags.Validate()
}
