package view

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"xmrfleet/hcl"
	"xmrfleet/modules/printable"
)

// annotationLimit is how many errors and how many warnings get an annotation.
// A step shows ten of each; the last one counts the rest. Source: the limits
// in docs/problem-matchers.md of actions/toolkit.
const annotationLimit = 9

// A GitHub reports to a job of GitHub Actions: the text for people in the log,
// an annotation for each host and each mistake at its line of the fleet file,
// and the text once more in the summary of the step.
type GitHub struct {
	Log      *Text     // on printers of [Inert] writers
	Commands io.Writer // where the runner reads its commands
	Mask     bool      // tell the runner the secrets; it reads all that we write
	Root     string    // the repository's directory
	Summary  Summary

	declared    map[string]hcl.Pos
	annotations []annotation
}

// An annotation is a remark beside a line of a file, or without a place if pos
// is zero.
type annotation struct {
	level string // error or warning
	pos   hcl.Pos
	host  string // empty: it is about no host
	text  string
}

// Report prints e, and keeps what is to be said when the run is over.
func (g *GitHub) Report(e Event) {
	if e, ok := e.(Loaded); ok {
		g.hide(e.Secrets)
	}
	e.text(g.Log)
	g.Summary.Report(e)
	switch e := e.(type) {
	case Loaded:
		g.loaded(e)
	case Planned:
		for _, h := range e.Hosts {
			g.host(h.Host, h.Err)
			if h.Plan != nil {
				for _, w := range h.Plan.Warnings {
					g.add("warning", h.Host, w)
				}
			}
		}
	case Applied:
		g.forgetHosts()
		for _, r := range e.Results {
			if err := r.Err(); err != nil {
				g.host(r.Host, fmt.Errorf("%s: %w", progressOf(r), err))
			}
		}
	case LockedOut:
		for _, u := range e.Failed {
			g.host(u.Host, u.Err)
		}
	case Status:
		g.statuses(e.Hosts)
	case Why:
		g.statuses(e.statuses())
	case Failed:
		g.add("error", "", e.Err.Error())
	case Finished:
		g.finish(e)
	}
}

// hide tells the runner the secrets, before anything that could hold one.
func (g *GitHub) hide(secrets []string) {
	if !g.Mask {
		return
	}
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			fmt.Fprintf(g.Commands, "::add-mask::%s\n", data.Replace(s))
		}
	}
}

func (g *GitHub) loaded(e Loaded) {
	g.declared = make(map[string]hcl.Pos, len(e.Hosts))
	for _, h := range e.Hosts {
		g.declared[h.Name] = h.Pos
	}
	for _, d := range e.Diagnostics {
		a := annotation{level: string(d.Severity), text: strings.TrimSpace(d.Summary + "\n" + d.Detail)}
		if d.Range != nil {
			a.pos = d.Range.Start
			a.pos.Filename = d.Range.Filename
		}
		g.annotations = append(g.annotations, a)
	}
}

func (g *GitHub) statuses(hosts []HostStatus) {
	for _, h := range hosts {
		switch {
		case h.AsDesired():
		case h.State() == h.Desired, h.Err == nil && h.ComingUp(h.Desired):
			g.host(h.Host, fmt.Errorf("%s: %s", h.State(), h.note()))
		default:
			text := fmt.Sprintf("%s, but %s is desired\n%s", h.State(), h.Desired, oneLine(h.note()))
			g.add("error", h.Host, strings.TrimSpace(text))
		}
	}
}

func (g *GitHub) host(name string, err error) {
	if err != nil {
		g.add("error", name, err.Error())
	}
}

func (g *GitHub) add(level, host, text string) {
	g.annotations = append(g.annotations, annotation{level: level, pos: g.declared[host], host: host, text: text})
}

// forgetHosts makes room for what an apply says of the same hosts.
func (g *GitHub) forgetHosts() {
	var kept []annotation
	for _, a := range g.annotations {
		if a.host == "" || a.level != "error" {
			kept = append(kept, a)
		}
	}
	g.annotations = kept
}

func (g *GitHub) finish(e Finished) {
	var out strings.Builder
	for _, level := range []string{"error", "warning"} {
		n := 0
		for _, a := range g.annotations {
			if a.level != level {
				continue
			}
			if n++; n <= annotationLimit {
				out.WriteString(g.command(a))
			}
		}
		if more := n - annotationLimit; more > 0 {
			fmt.Fprintf(&out, "::%s title=xmrfleet::and %d more; the log has them all\n", level, more)
		}
	}
	io.WriteString(g.Commands, out.String())
	if err := g.Summary.write(e); err != nil {
		g.Log.Err.Error(fmt.Errorf("write step summary: %w", err))
	}
}

// command is the line that makes the annotation.
func (g *GitHub) command(a annotation) string {
	title := a.host
	if title == "" {
		title = "xmrfleet"
	}
	properties := "title=" + property.Replace(title)
	if a.pos.Line > 0 {
		properties = fmt.Sprintf("file=%s,line=%d,", property.Replace(g.inRepository(a.pos.Filename)), a.pos.Line) + properties
	}
	return fmt.Sprintf("::%s %s::%s\n", a.level, properties, data.Replace(g.Log.Out.Mask(printable.Text(a.text))))
}

// inRepository is the path relative to the repository, as GitHub shows it. A
// file that is not in there keeps its path.
func (g *GitHub) inRepository(file string) string {
	path, err := filepath.Abs(file)
	if err != nil || g.Root == "" {
		return file
	}
	rel, err := filepath.Rel(g.Root, path)
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}

// Escapes of the runner's commands: ActionCommand.cs of actions/runner.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// Inert is a writer of text that gives the runner no command, whatever a host
// made us print: one counts at the start of a line and, in the older form,
// anywhere.
func Inert(w io.Writer) io.Writer { return inert{w} }

type inert struct{ io.Writer }

var commandStart = regexp.MustCompile(`(?m)^([ \t]*):(:)|##(\[)`)

func (i inert) Write(b []byte) (int, error) {
	text := commandStart.ReplaceAllFunc(b, func(found []byte) []byte {
		last := len(found) - 1
		return append(append([]byte{}, found[:last]...), ' ', found[last])
	})
	if _, err := i.Writer.Write(text); err != nil {
		return 0, err
	}
	return len(b), nil
}
