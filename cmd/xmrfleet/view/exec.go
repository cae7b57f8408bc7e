package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/selector"
	"xmrfleet/modules/printable"
)

// An HostExec is what a command did on a host.
type HostExec struct {
	Host           string
	Begun          bool // the command was started
	Status         int  // exit status, if Err is nil
	Stdout, Stderr string
	Err            error // why there is no exit status
	Took           time.Duration
}

// Exec: a command was run on the selected hosts.
type Exec struct {
	Hosts []HostExec
	Shown bool   // people have seen the output already
	Retry string // the command that does the same for the hosts that failed
	Took  time.Duration
}

// Output: a command printed a line.
type Output struct {
	Name
	Stderr bool
	Text   string // without the line end
}

func (e Output) text(t *Text) {
	p := t.Out
	if e.Stderr {
		p = t.Err
	}
	fmt.Fprintf(p, "%s  %s\n", p.name(e.Name), printable.Text(e.Text))
}

type outputFields struct {
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

func (e Output) lines() []line {
	stream := "stdout"
	if e.Stderr {
		stream = "stderr"
	}
	return []line{outputLine.line(e.Host, e.Host+": "+e.Text, outputFields{stream, e.Text})}
}

func (e Exec) text(t *Text) {
	p := t.Out
	if e.Shown {
		p = t.Err
	}
	total := executed(e.Hosts)
	if e.Shown && len(e.Hosts) == 1 && total.done == 1 {
		return
	}
	var out strings.Builder
	for _, g := range outputs(e.Hosts) {
		p.output(&out, g, e.Shown)
	}
	for _, h := range e.Hosts {
		if h.Err != nil {
			p.failure(&out, h.Host, h.Err)
		}
	}
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	out.WriteString(p.total(total.String(), e.Took))
	if e.Retry != "" {
		fmt.Fprintf(&out, "retry: %s\n", e.Retry)
	}
	io.WriteString(p, out.String())
}

// A sameOutput is hosts that printed the same and exited with the same status.
type sameOutput struct {
	HostExec
	hosts []string
}

// outputs folds the hosts on which the command ended, in the order of the
// first ones, those with exit status 0 before the others.
func outputs(hosts []HostExec) []*sameOutput {
	type key struct {
		status         int
		stdout, stderr string
	}
	var groups []*sameOutput
	at := make(map[key]*sameOutput)
	for _, h := range hosts {
		if h.Err != nil {
			continue
		}
		k := key{h.Status, h.Stdout, h.Stderr}
		if at[k] == nil {
			at[k] = &sameOutput{HostExec: h}
			groups = append(groups, at[k])
		}
		at[k].hosts = append(at[k].hosts, h.Host)
	}
	slices.SortStableFunc(groups, func(a, b *sameOutput) int { return min(a.Status, 1) - min(b.Status, 1) })
	return groups
}

// output prints a group of hosts, and what they printed unless it was shown.
func (p *Printer) output(out *strings.Builder, g *sameOutput, shown bool) {
	mark, note := p.green("="), ""
	if g.Status != 0 {
		mark, note = p.red("!"), "  "+p.red(fmt.Sprintf("exit %d", g.Status))
	}
	same := "same output"
	switch {
	case shown && g.Status == 0:
		return
	case shown:
		same = ""
	case g.Stdout+g.Stderr == "":
		same = "no output"
	}
	if len(g.hosts) > 1 {
		same = strings.TrimSuffix(Plural(len(g.hosts), "host")+", "+same, ", ")
	} else if same != "no output" {
		same = ""
	}
	names := p.bold(selector.Names(g.hosts)) + note
	out.WriteString(p.heading(mark, names, p.faint(same)))
	if shown {
		return
	}
	if g.Stdout != "" {
		fmt.Fprintf(out, "      %s\n", indentRest(printable.Text(g.Stdout), "      "))
	}
	if g.Stderr != "" {
		fmt.Fprintf(out, "      %s\n        %s\n", p.faint("stderr:"), indentRest(printable.Text(g.Stderr), "        "))
	}
}

// An execSum is the sum over all hosts of an exec.
type execSum struct {
	hosts, done, unreached, unfinished int
	statuses                           []int // other than 0, ascending
	with                               map[int]int
}

func executed(hosts []HostExec) execSum {
	t := execSum{hosts: len(hosts), with: make(map[int]int)}
	for _, h := range hosts {
		switch {
		case h.Err != nil && !h.Begun:
			t.unreached++
		case h.Err != nil:
			t.unfinished++
		case h.Status == 0:
			t.done++
		default:
			if t.with[h.Status] == 0 {
				t.statuses = append(t.statuses, h.Status)
			}
			t.with[h.Status]++
		}
	}
	slices.Sort(t.statuses)
	return t
}

func (t execSum) String() string {
	total := fmt.Sprintf("Exec: exit 0 on %d of %s", t.done, Plural(t.hosts, "host"))
	for _, status := range t.statuses {
		total += fmt.Sprintf(", exit %d on %d", status, t.with[status])
	}
	total += "."
	if t.unfinished > 0 {
		total += fmt.Sprintf(" On %d the command did not end.", t.unfinished)
	}
	if t.unreached > 0 {
		total += fmt.Sprintf(" %s not reached.", wasWere(t.unreached, "host"))
	}
	return total
}

type hostExecFields struct {
	Begun  bool   `json:"begun"`
	Status *int   `json:"exit_status,omitempty"`
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	trouble
	Took int64 `json:"took_ms"`
}

type execSummary struct {
	Hosts      int    `json:"hosts"`
	Done       int    `json:"done"`
	NonZero    int    `json:"non_zero"`
	Unfinished int    `json:"unfinished"`
	Unreached  int    `json:"unreached"`
	Retry      string `json:"retry,omitempty"`
	Took       int64  `json:"took_ms"`
}

func (e Exec) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		lines = append(lines, h.line())
	}
	t := executed(e.Hosts)
	return append(lines, execSummaryLine.line("", t.String(), execSummary{
		t.hosts, t.done, t.hosts - t.done - t.unfinished - t.unreached, t.unfinished, t.unreached, e.Retry, e.Took.Milliseconds()}))
}

func (h HostExec) line() line {
	fields := hostExecFields{h.Begun, nil, h.Stdout, h.Stderr, troubleOf(h.Err), h.Took.Milliseconds()}
	if h.Err != nil {
		return hostExecLine.line(h.Host, h.Host+": "+h.Err.Error(), fields).as(levelError)
	}
	fields.Status = &h.Status
	l := hostExecLine.line(h.Host, fmt.Sprintf("%s: exit %d", h.Host, h.Status), fields)
	if h.Status != 0 {
		l.level = levelError
	}
	return l
}
