package view

import (
	"fmt"

	"xmrfleet/hcl"
)

// Loaded: a fleet file was read. It is the first event that may know secrets,
// and no reporter shows any of them from then on.
type Loaded struct {
	Diagnostics hcl.Diagnostics
	Hosts       []hcl.Host // none if the file has errors
	Secrets     []string
}

func (e Loaded) text(t *Text) {
	if len(e.Diagnostics) > 0 {
		e.Diagnostics.Write(t.Err, t.Err.Width, t.Err.Colour)
	}
}

type diagnosticFields struct {
	Diagnostic hcl.Diagnostic `json:"diagnostic"`
}

func (e Loaded) lines() []line {
	var lines []line
	for _, d := range e.Diagnostics {
		l := diagnosticLine.line("", d.String(), diagnosticFields{d}).as(levelWarn)
		if d.Severity == hcl.Error {
			l.level = levelError
		}
		lines = append(lines, l)
	}
	return lines
}

// Validated: a fleet file was checked and nothing else was to be done.
type Validated struct {
	File   string
	Hosts  int
	Report hcl.Report
}

func (e Validated) text(t *Text) {
	if e.Report.Valid {
		fmt.Fprintf(t.Out, "%s is valid: %s.\n", e.File, Plural(e.Hosts, "host"))
	}
}

type validation struct {
	File     string `json:"file"`
	Valid    bool   `json:"valid"`
	Errors   int    `json:"error_count"`
	Warnings int    `json:"warning_count"`
	Hosts    int    `json:"hosts"`
}

func (e Validated) lines() []line {
	l := validationLine.line("", fmt.Sprintf("%s is valid: %s.", e.File, Plural(e.Hosts, "host")),
		validation{e.File, e.Report.Valid, e.Report.ErrorCount, e.Report.WarningCount, e.Hosts})
	if !e.Report.Valid {
		l.level, l.message = levelError, e.File+" is not valid: "+Plural(e.Report.ErrorCount, "error")+"."
	}
	return []line{l}
}
