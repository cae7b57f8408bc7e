// Package view shows what commands found out, to people and to programs. It
// decides nothing, and no secret passes it.
//
// A command reports events. Each [Event] is data with two forms: its text, and
// its JSON lines. Both stand in the file of the command that it belongs to,
// beside the event; table.go lists the types of lines, and README.md's
// reference is held to it. A [Reporter] takes the events of a run: [Text],
// [JSON], [GitHub], or one of another package, which reads their fields.
//
// What texts are made of stands apart: printer.go (colours, secrets), layout.go
// (width), grid.go (tables), diff.go, fold.go (hosts with equal changes),
// many.go (hosts that are too many to be listed), name.go and words.go.
//
// To add a JSON line, add its fields as a struct beside its event, a variable
// to table.go, and a row to the reference in README.md.
package view

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"

	"charm.land/lipgloss/v2"

	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// A Printer is an output stream that masks secrets. It is safe for concurrent
// use; what one call writes stays together.
type Printer struct {
	Colour bool
	Width  int // columns of the terminal; 0: not a terminal
	Height int // lines that a table may take; 0: any number

	mu      sync.Mutex
	w       io.Writer
	secrets *strings.Replacer
}

// NewPrinter prints to w.
func NewPrinter(w io.Writer, colour bool, width int) *Printer {
	return &Printer{w: w, Colour: colour, Width: width, secrets: strings.NewReplacer()}
}

// shortestSecret is the length of the shortest secret that is searched for, in
// bytes. Masking a shorter one would tear common words apart.
const shortestSecret = 4

// Hide masks the secrets in all that is printed from now on, as they are and
// as they stand in JSON or in a quoted string.
func (p *Printer) Hide(secrets []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.secrets = redactor(secrets)
}

// shortestLine is the same for a single line of a secret of several lines.
const shortestLine = 8

// redactor replaces the secrets that are long enough, the longest first. Much
// of what is printed comes line by line, so each line of a secret is one too.
func redactor(secrets []string) *strings.Replacer {
	var forms []string
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			forms = append(forms, written(s)...)
		}
		shortest := shortestSecret
		if s = strings.TrimSpace(s); strings.Contains(s, "\n") {
			shortest = shortestLine
		}
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); len(line) >= shortest {
				forms = append(forms, written(line)...)
			}
		}
	}
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, "(sensitive)")
	}
	return strings.NewReplacer(pairs...)
}

// written returns the forms of a secret: as it is, and as programs write it: in JSON, with and
// without care for HTML, and quoted for a shell.
func written(secret string) []string {
	html, err := json.Marshal(secret)
	if err != nil {
		panic(err) // a string
	}
	plain := encode(secret)
	return []string{secret, string(html[1 : len(html)-1]), string(plain[1 : len(plain)-1]), strings.ReplaceAll(secret, "'", `'"'"'`), strings.ReplaceAll(secret, "'", `'\''`)}
}

// Mask returns s as it would be printed.
func (p *Printer) Mask(s string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.secrets.Replace(s)
}

func (p *Printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.w, p.secrets.Replace(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Error prints an error and what a person can do about it.
func (p *Printer) Error(err error) {
	text := p.red("xmrfleet: ") + indentRest(printable.Text(err.Error()), "  ") + "\n"
	if advice := hint.Of(err); advice != "" {
		text += p.bold("hint: ") + indentRest(printable.Text(advice), "  ") + "\n"
	}
	io.WriteString(p, text)
}

func (p *Printer) style(s lipgloss.Style, text string) string {
	if !p.Colour || text == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines { // several at once would be padded to one width
		lines[i] = s.Render(line)
	}
	return strings.Join(lines, "\n")
}

func (p *Printer) red(s string) string {
	return p.style(lipgloss.NewStyle().Foreground(lipgloss.Red), s)
}
func (p *Printer) green(s string) string {
	return p.style(lipgloss.NewStyle().Foreground(lipgloss.Green), s)
}
func (p *Printer) yellow(s string) string {
	return p.style(lipgloss.NewStyle().Foreground(lipgloss.Yellow), s)
}
func (p *Printer) bold(s string) string  { return p.style(lipgloss.NewStyle().Bold(true), s) }
func (p *Printer) faint(s string) string { return p.style(lipgloss.NewStyle().Faint(true), s) }
