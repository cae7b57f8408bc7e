package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"xmrfleet/modules"
	"xmrfleet/modules/printable"
)

// HostFacts are what a host says of itself, or why it does not.
type HostFacts struct {
	Host  string
	Facts modules.Facts
	Err   error
}

// Facts: the hosts told what they are.
type Facts struct {
	Hosts []HostFacts
	Took  time.Duration
}

func (e Facts) text(t *Text) {
	p := t.Out
	g := grid{columns: factsColumns}
	for _, h := range e.Hosts {
		if h.Err == nil {
			g.rows = append(g.rows, gridRow{cells: factsRow(h)})
		}
	}
	var out strings.Builder
	if g.rows != nil {
		for _, line := range g.lines(p.Width, false) {
			out.WriteString(line + "\n")
		}
	}
	for _, h := range e.Hosts {
		if h.Err != nil {
			p.failure(&out, h.Host, h.Err)
			continue
		}
		if err := h.Facts.Supported(); err != nil {
			p.failure(&out, h.Host, err)
		}
	}
	out.WriteString("\n" + p.total(e.total(), e.Took))
	io.WriteString(p, out.String())
}

var factsColumns = []gridColumn{
	{title: "HOST"},
	{title: "SYSTEM", rank: 3},
	{title: "KERNEL", rank: 5},
	{title: "ARCH", rank: 2},
	{title: "SYSTEMD", rank: 6, right: true},
	{title: "THREADS", right: true},
	{title: "MEMORY", rank: 1, right: true},
	{title: "AGENT", rank: 7},
	{title: "XMRIG", rank: 4},
}

func factsRow(h HostFacts) []string {
	f := h.Facts
	row := []string{h.Host, f.OS, f.Kernel, f.Arch, "-", strconv.Itoa(f.Threads), humanize.IBytes(uint64(f.MemoryKiB) << 10), cmp.Or(f.Agent, "-"), "-"}
	if f.Systemd > 0 {
		row[4] = strconv.Itoa(f.Systemd)
	}
	var found []string
	for _, x := range f.XMRigs {
		found = append(found, strings.TrimSpace(x.Path+" "+x.Version))
	}
	if found != nil {
		row[8] = strings.Join(found, ", ")
	}
	for i := range row {
		row[i] = printable.Text(oneLine(row[i]))
	}
	return row
}

func (e Facts) total() string {
	var t struct {
		threads, failed int
		memory          uint64
	}
	for _, h := range e.Hosts {
		if h.Err != nil {
			t.failed++
			continue
		}
		t.threads += h.Facts.Threads
		t.memory += uint64(h.Facts.MemoryKiB) << 10
	}
	total := fmt.Sprintf("Facts: %s, %s, %s.", Plural(len(e.Hosts), "host"), Plural(t.threads, "thread"), humanize.IBytes(t.memory))
	if t.failed > 0 {
		total += fmt.Sprintf(" %s not read.", wasWere(t.failed, "host"))
	}
	return total
}

type hostFactsFields struct {
	Facts factsFields `json:"facts"`
}

type factsFields struct {
	Hostname  string         `json:"hostname"`
	OS        string         `json:"os"`
	Kernel    string         `json:"kernel"`
	Arch      string         `json:"arch"`
	Systemd   int            `json:"systemd"`
	Threads   int            `json:"threads"`
	Memory    int64          `json:"memory_kib"`
	SELinux   bool           `json:"selinux"`
	BootID    string         `json:"boot_id"`
	Agent     string         `json:"agent_version,omitempty"`
	Database  string         `json:"agent_database,omitempty"`
	XMRigs    []binaryFields `json:"xmrigs"`
	Supported bool           `json:"supported"`
}

type binaryFields struct {
	Path      string `json:"path"`
	Real      string `json:"real"`
	SHA256    string `json:"sha256"`
	Protected bool   `json:"protected"`
	Version   string `json:"version,omitempty"`
}

type factsSummary struct {
	Hosts int   `json:"hosts"`
	Took  int64 `json:"took_ms"`
}

func (e Facts) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		if h.Err != nil {
			lines = append(lines, Unheard{h.Host, h.Err}.lines()...)
			continue
		}
		lines = append(lines, hostFactsLine.line(h.Host, h.Host+": "+h.Facts.OS, hostFactsFields{factsOf(h.Facts)}))
	}
	return append(lines, factsSummaryLine.line("", e.total(), factsSummary{len(e.Hosts), e.Took.Milliseconds()}))
}

func factsOf(f modules.Facts) factsFields {
	fields := factsFields{f.Hostname, f.OS, f.Kernel, f.Arch, f.Systemd, f.Threads, f.MemoryKiB, f.SELinux, f.BootID, f.Agent, f.AgentDatabase,
		[]binaryFields{}, f.Supported() == nil}
	for _, x := range f.XMRigs {
		fields.XMRigs = append(fields.XMRigs, binaryFields(x))
	}
	return fields
}
