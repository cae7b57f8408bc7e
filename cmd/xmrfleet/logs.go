package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
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

// followScript prints what is there, an empty object, and what comes. $1 and
// $2 are flags for the first part alone.
const followScript = `
some=$1 since=$2
shift 2
{ journalctl "$@" --show-cursor ${some:+"$some"} ${since:+"$since"} || echo "-- failed: $?"; } | {
	cursor=
	while IFS= read -r line; do
		case $line in
		'-- cursor: '*) cursor=${line#-- cursor: } ;;
		'-- failed: '*) exit "${line#-- failed: }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	echo '{}'
	if [ -n "$cursor" ]; then
		exec journalctl "$@" --follow --no-tail --after-cursor="$cursor"
	fi
	exec journalctl "$@" --follow --lines=0
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
	t := newTail(p, hosts, c.unit())
	read := make(chan []executor.Outcome[struct{}])
	go func() {
		read <- onEach(ctx, p, c.connectionFlags, hosts, 0, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (struct{}, error) {
			err := c.read(ctx, d, h, t)
			t.ended <- unread{h.Name, err}
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

// read reads the journal of a host until its end, or for ever.
func (c *logsCmd) read(ctx context.Context, d *executor.Dialer, h hcl.Host, t *tail) error {
	shell, _, err := d.Open(ctx, target(h), executor.OpenOptions{})
	if err != nil {
		return err
	}
	defer shell.Close()
	script, args := c.journalctl()
	entries := &linewise{line: func(line []byte) { t.take(h.Name, line) }}
	var complaint strings.Builder
	status, err := shell.Stream(ctx, entries, &complaint, script, args...)
	entries.flush()
	if err != nil {
		return err
	}
	if status != 0 {
		return fmt.Errorf("read journal: journalctl ended with status %d: %s", status, strings.TrimSpace(complaint.String()))
	}
	return nil
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
	common := append(slices.Clone(journalFlags), "--unit="+c.unit())
	if c.Follow {
		return followScript, append([]string{some, since}, common...)
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

// A tail brings the entries of many journals into the order of their times.
type tail struct {
	p       *Program
	names   map[string]view.Name
	usual   string // who writes most of the entries
	came    chan entry
	ready   chan string // hosts whose past is told
	ended   chan unread
	waiting map[string]bool // hosts whose past is not told yet
	held    []entry
}

// An unread is a host whose journal is not read any more, and why.
type unread struct {
	host string
	err  error
}

func newTail(p *Program, hosts []hcl.Host, unit string) *tail {
	t := &tail{p: p, names: namesOf(hosts), usual: strings.TrimSuffix(unit, ".service"), waiting: make(map[string]bool),
		came: make(chan entry), ready: make(chan string), ended: make(chan unread)}
	for _, h := range hosts {
		t.waiting[h.Name] = true
	}
	return t
}

// take is called with each line of a host.
func (t *tail) take(host string, line []byte) {
	if string(line) == "{}\n" {
		t.ready <- host
		return
	}
	e, err := parseEntry(host, line)
	if err != nil {
		e = entry{host: host, time: time.Now(), from: "xmrfleet", text: err.Error()}
	}
	t.came <- e
}

// Of a journal that is followed, entries wait a moment for older ones of other
// hosts, and at first for the past of all hosts, though not long.
const (
	pause    = 200 * time.Millisecond
	patience = 2 * time.Second
)

// show prints the entries until all journals have ended.
func (t *tail) show(follow bool, read <-chan []executor.Outcome[struct{}]) []executor.Outcome[struct{}] {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	began := time.Now()
	for {
		select {
		case e := <-t.came:
			t.held = append(t.held, e)
		case host := <-t.ready:
			delete(t.waiting, host)
		case u := <-t.ended:
			delete(t.waiting, u.host)
			t.lost(u)
		case <-ticker.C:
			if follow && (len(t.waiting) == 0 || time.Since(began) > patience) {
				t.print()
			}
		case outcomes := <-read:
			t.print()
			return outcomes
		}
	}
}

func (t *tail) lost(u unread) {
	if u.err != nil && !t.p.stopped() {
		t.print()
		t.p.report.Report(view.Unheard{Host: u.host, Err: u.err, Kind: kind(u.err), Hint: hint(u.err)})
	}
}

// print prints what is held, in the order of time.
func (t *tail) print() {
	slices.SortStableFunc(t.held, func(a, b entry) int { return a.time.Compare(b.time) })
	for _, e := range t.held {
		from := e.from
		if from == t.usual {
			from = ""
		}
		t.p.report.Report(view.Logged{Name: t.names[e.host], Time: e.time, From: from, Text: e.text})
	}
	t.held = nil
}
