package view

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A Text reports to people: results on Out, progress and errors on Err.
type Text struct {
	Out, Err *Printer

	progress Progress
	silence  atomic.Int32 // heartbeats since the last line of progress
}

// Report prints e. It prints nothing of an event that people see by itself.
func (t *Text) Report(e Event) { e.text(t) }

func (e Loaded) text(t *Text) {
	if len(e.Diagnostics) > 0 {
		e.Diagnostics.Write(t.Err, t.Err.Width, t.Err.Colour)
	}
}

func (e Validated) text(t *Text) {
	if e.Report.Valid {
		fmt.Fprintf(t.Out, "%s is valid: %s.\n", e.File, Plural(e.Hosts, "host"))
	}
}

func (e Planned) text(t *Text) { t.Out.Plan(e.Hosts, e.Details, e.Took) }

func (e Saved) text(t *Text) {
	fmt.Fprintf(t.Err, "The plan is saved. `xmrfleet apply %s` makes these changes and no others.\n", e.File)
}

func (e Applying) text(t *Text) {
	t.progress = Progress{Printer: t.Err, Details: e.Details, Now: time.Now}
	for _, host := range e.Hosts {
		t.progress.NameWidth = max(t.progress.NameWidth, len(host))
	}
	fmt.Fprintln(t.Out)
}

func (e Begun) text(t *Text) {
	t.silence.Store(0)
	t.progress.Begin(e.Host, e.Changes)
}

func (e Made) text(t *Text) {
	if t.progress.Details {
		t.silence.Store(0)
		t.progress.Made(e.Host, e.Change, e.Took)
	}
}

func (e Ended) text(t *Text) {
	t.silence.Store(0)
	t.progress.End(e.HostResult)
}

func (e Stopping) text(t *Text) { t.progress.Stopping() }
func (e Applied) text(t *Text)  { t.Out.Apply(e.Results, e.Retry, e.Took) }
func (e Failed) text(t *Text)   { t.Err.Error(e.Err) }
func (e Finished) text(*Text)   {}
