package view

import "sync/atomic"

// A Text reports to people: results on Out, progress and errors on Err.
type Text struct {
	Out, Err *Printer

	progress Progress
	silence  atomic.Int32 // heartbeats since the last line of progress
}

// Report prints e. Some events print nothing: people see them by what follows.
func (t *Text) Report(e Event) { e.text(t) }
