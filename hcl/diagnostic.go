package hcl

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"xmrfleet/modules/printable"
)

// A Severity says whether a diagnostic stands in the way.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// A Diagnostic is one remark about a fleet file: a terse summary, full
// sentences of detail, and its place. Its JSON form is that of "terraform
// validate -json".
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail"`
	Range    *Range   `json:"range,omitempty"` // nil: no place in a file
	Snippet  *Snippet `json:"snippet,omitempty"`
}

// A Range is a stretch of a file. End is exclusive.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// String has the form of a compiler's message: "fleet.hcl:41,3-9".
func (r Range) String() string {
	if r.Start.Line == r.End.Line {
		return fmt.Sprintf("%s:%d,%d-%d", r.Filename, r.Start.Line, r.Start.Column, r.End.Column)
	}
	return fmt.Sprintf("%s:%d,%d-%d,%d", r.Filename, r.Start.Line, r.Start.Column, r.End.Line, r.End.Column)
}

// A Snippet is the source line where a Range starts, with secrets masked. The
// highlight's offsets are bytes of Code.
type Snippet struct {
	Context        string `json:"context,omitempty"` // the enclosing blocks: `host "mini-1", xmrig`
	Code           string `json:"code"`
	StartLine      int    `json:"start_line"`
	HighlightStart int    `json:"highlight_start_offset"`
	HighlightEnd   int    `json:"highlight_end_offset"`
}

// Diagnostics are in the order of the file.
type Diagnostics []Diagnostic

// HasErrors reports whether any is more than a warning.
func (ds Diagnostics) HasErrors() bool {
	errs, _ := ds.count()
	return errs > 0
}

func (ds Diagnostics) count() (errs, warnings int) {
	for _, d := range ds {
		if d.Severity == Error {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

// A Report is the result of a validation for machines.
type Report struct {
	Valid        bool        `json:"valid"`
	ErrorCount   int         `json:"error_count"`
	WarningCount int         `json:"warning_count"`
	Diagnostics  Diagnostics `json:"diagnostics"`
}

// Report counts the diagnostics.
func (ds Diagnostics) Report() Report {
	errs, warnings := ds.count()
	if ds == nil {
		ds = Diagnostics{}
	}
	return Report{Valid: errs == 0, ErrorCount: errs, WarningCount: warnings, Diagnostics: ds}
}

// String is the diagnostic on one line: "fleet.hcl:41,3-9: summary; detail".
func (d Diagnostic) String() string {
	text := d.Summary
	if d.Detail != "" {
		text += "; " + strings.Join(strings.Fields(d.Detail), " ")
	}
	if d.Range != nil {
		text = d.Range.String() + ": " + text
	}
	return printable.Spelled(text)
}

// Error is all of them, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns ds as an error if it holds one.
func (ds Diagnostics) Err() error {
	if !ds.HasErrors() {
		return nil
	}
	return ds
}

// place sets range and snippet from the source. A nil rng leaves both unset.
func (d *Diagnostic) place(s *source, rng *hcl.Range) {
	if rng == nil {
		return
	}
	d.Range = &Range{Filename: rng.Filename, Start: position(rng.Filename, rng.Start), End: position(rng.Filename, rng.End)}
	if rng.Filename == s.name {
		d.Snippet = s.snippet(*rng)
	}
}

func position(file string, p hcl.Pos) Pos {
	return Pos{Filename: file, Line: p.Line, Column: p.Column, Byte: p.Byte}
}
