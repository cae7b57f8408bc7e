package view

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/modules/hint"
)

// Failed: the run as a whole cannot go on.
type Failed struct {
	Err error
}

func (e Failed) text(t *Text) { t.Err.Error(e.Err) }

type runError struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

func (e Failed) lines() []line {
	return []line{errorLine.line("", e.Err.Error(), runError{e.Err.Error(), hint.Of(e.Err)}).as(levelError)}
}

// Finished: the run is over. It is the last event of every run.
type Finished struct {
	Command string // "plan"; empty if the command line was not understood
	Code    int    // exit code
	Outcome string // what the code means, in one word
	Signal  string // what interrupted the run, or ""
	Hosts   Tally
	Took    time.Duration
}

// A Tally counts what became of the selected hosts.
type Tally struct {
	Done    int `json:"done"`    // as they should be, or made so
	Changed int `json:"changed"` // of the done
	Failed  int `json:"failed"`  // not as they should be, and untouched
	Locked  int `json:"locked"`  // of the failed: by another run
	Stale   int `json:"stale"`   // of the failed: not as in the saved plan
	Between int `json:"between"` // left between two states
}

// People see from the report of the command how the run ended.
func (e Finished) text(*Text) {}

type runSummary struct {
	Command string `json:"command"`
	Code    int    `json:"exit_code"`
	Outcome string `json:"outcome"`
	Signal  string `json:"signal,omitempty"`
	Hosts   Tally  `json:"hosts"`
	Took    int64  `json:"took_ms"`
}

func (e Finished) lines() []line {
	l := runSummaryLine.line("", fmt.Sprintf("%s (exit code %d)", strings.TrimSpace(e.Command+" "+e.Outcome), e.Code),
		runSummary{e.Command, e.Code, e.Outcome, e.Signal, e.Hosts, e.Took.Milliseconds()})
	if e.Code != 0 && e.Outcome != "changes" {
		l.level = levelError
	}
	return []line{l}
}
