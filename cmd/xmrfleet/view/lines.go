package view

import (
	"fmt"
	"strings"

	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// trouble is why something is not as it should be.
type trouble struct {
	Error string    `json:"error,omitempty"`
	Kind  hint.Kind `json:"kind,omitempty"`
	Hint  string    `json:"hint,omitempty"`
}

// troubleOf is all that err tells; nothing of nil.
func troubleOf(err error) trouble {
	if err == nil {
		return trouble{}
	}
	return trouble{err.Error(), hint.KindOf(err), hint.Of(err)}
}

func (e Loaded) lines() []line { return diagnostics(e.Diagnostics) }

func diagnostics(ds hcl.Diagnostics) []line {
	var lines []line
	for _, d := range ds {
		l := line{kind: "diagnostic", level: levelWarn, message: d.String(), body: struct {
			hcl.Diagnostic `json:"diagnostic"`
		}{d}}
		if d.Severity == hcl.Error {
			l.level = levelError
		}
		lines = append(lines, l)
	}
	return lines
}

func (e Validated) lines() []line {
	l := line{kind: "validation", message: fmt.Sprintf("%s is valid: %s.", e.File, Plural(e.Hosts, "host"))}
	if !e.Report.Valid {
		l.level, l.message = levelError, e.File+" is not valid: "+Plural(e.Report.ErrorCount, "error")+"."
	}
	l.body = struct {
		File     string `json:"file"`
		Valid    bool   `json:"valid"`
		Errors   int    `json:"error_count"`
		Warnings int    `json:"warning_count"`
		Hosts    int    `json:"hosts"`
	}{e.File, e.Report.Valid, e.Report.ErrorCount, e.Report.WarningCount, e.Hosts}
	return []line{l}
}

// A step names a change.
type step struct {
	Resource string         `json:"resource"`
	Action   modules.Action `json:"action"`
}

func stepsOf(changes []plan.Change) []step {
	steps := make([]step, len(changes))
	for i, c := range changes {
		steps[i] = step{c.Resource, c.Action}
	}
	return steps
}

func (e Planned) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		if h.Err != nil {
			l := Unheard{h.Host, h.Err}.lines()[0]
			if hint.KindOf(h.Err) == Stale {
				l.kind = "host_stale"
			}
			lines = append(lines, l)
			continue
		}
		for _, w := range h.Plan.Warnings {
			lines = append(lines, line{kind: "host_warning", host: h.Host, level: levelWarn, message: h.Host + ": " + w,
				body: struct {
					Warning string `json:"warning"`
				}{w}})
		}
		for _, c := range h.Plan.Changes {
			lines = append(lines, plannedChange(h.Host, c, e.Details))
		}
	}
	t := planTotals(e.Hosts)
	return append(lines, line{kind: "plan_summary", message: planTotal(e.Hosts), body: struct {
		Hosts    int   `json:"hosts"`
		ToChange int   `json:"to_change"`
		Changes  int   `json:"changes"`
		Restarts int   `json:"restarts"`
		NotRead  int   `json:"not_read"`
		Stale    int   `json:"stale"`
		Took     int64 `json:"took_ms"`
	}{len(e.Hosts), t.toChange, t.changes, t.restarts, t.failed, t.stale, e.Took.Milliseconds()}})
}

// plannedChange shows what the text for people shows.
func plannedChange(host string, c plan.Change, details bool) line {
	body := struct {
		step
		Reason     string          `json:"reason,omitempty"`
		Disruptive bool            `json:"disruptive"`
		Fields     []modules.Field `json:"fields,omitempty"`
		Before     string          `json:"before,omitempty"`
		After      string          `json:"after,omitempty"`
	}{step{c.Resource, c.Action}, c.Reason, c.Disruptive, c.Fields, "", ""}
	if c.Before != "" || details {
		body.Before, body.After = c.Before, c.After
	}
	return line{kind: "planned_change", host: host, message: host + ": " + c.String(), body: body}
}

func (e Saved) lines() []line {
	return []line{{kind: "plan_saved", message: "The plan is saved in " + e.File + ".", body: struct {
		File string `json:"file"`
	}{e.File}}}
}

func (e Applying) lines() []line { return nil }

func (e Begun) lines() []line {
	return []line{{kind: "apply_start", host: e.Host, message: e.Host + ": applying " + Plural(e.Changes, "change"), body: struct {
		Changes int `json:"changes"`
	}{e.Changes}}}
}

func (e Made) lines() []line {
	return []line{{kind: "apply_progress", host: e.Host, message: e.Host + ": made: " + e.Change.String(), body: struct {
		step
		Took int64 `json:"took_ms"`
	}{step{e.Change.Resource, e.Change.Action}, e.Took.Milliseconds()}}}
}

func (e Ended) lines() []line {
	body := struct {
		Made    int    `json:"made"`
		Pending int    `json:"pending"`
		Took    int64  `json:"took_ms"`
		Error   string `json:"error,omitempty"`
		Hint    string `json:"hint,omitempty"`
	}{Made: len(e.Done), Pending: len(e.Pending), Took: e.Took.Milliseconds(), Hint: hint.Of(e.Err())}
	if err := e.Err(); err != nil {
		body.Error = err.Error()
		return []line{{kind: "apply_errored", host: e.Host, level: levelError, message: e.Host + ": " + err.Error(), body: body}}
	}
	return []line{{kind: "apply_complete", host: e.Host, message: e.Host + ": " + pastTense(len(e.Done)), body: body}}
}

func (e Stopping) lines() []line {
	return []line{{kind: "interrupted", level: levelWarn, message: stopping}}
}

func (e Applied) lines() []line {
	var lines []line
	for _, r := range e.Results {
		lines = append(lines, hostSummary(r))
	}
	t := applyTotals(e.Results)
	return append(lines, line{kind: "apply_summary", message: t.String(), body: struct {
		Hosts     int    `json:"hosts"`
		Converged int    `json:"converged"`
		Changes   int    `json:"changes"`
		Restarts  int    `json:"restarts"`
		Failed    int    `json:"failed"`
		Retry     string `json:"retry,omitempty"`
		Took      int64  `json:"took_ms"`
	}{t.hosts, t.converged, t.changes, t.restarts, t.failed, e.Retry, e.Took.Milliseconds()}})
}

// hostSummary says what became of a host.
func hostSummary(r HostResult) line {
	body := struct {
		Result  string `json:"result"`
		Made    []step `json:"made"`
		Pending []step `json:"pending"`
		trouble
	}{r.result(), stepsOf(r.Done), stepsOf(r.Pending), trouble{"", hint.KindOf(r.Failed), hint.Of(r.Err())}}
	l := line{kind: "host_summary", host: r.Host, message: r.Host + ": " + body.Result}
	if err := r.Err(); err != nil {
		l.level, body.Error = levelError, err.Error()
		l.message = r.Host + ": " + progressOf(r) + ": " + err.Error()
	}
	l.body = body
	return l
}

// result is progressOf for programs.
func (r HostResult) result() string {
	switch {
	case r.Err() == nil && len(r.Done) == 0:
		return "unchanged"
	case r.Err() == nil:
		return "converged"
	case !r.Touched:
		return "untouched"
	case len(r.Pending) == 0:
		return "unverified"
	}
	return "in_between"
}

func (e Failed) lines() []line {
	return []line{{kind: "error", level: levelError, message: e.Err.Error(), body: trouble{Error: e.Err.Error(), Hint: hint.Of(e.Err)}}}
}

func (e Finished) lines() []line {
	l := line{kind: "run_summary", message: fmt.Sprintf("%s (exit code %d)", strings.TrimSpace(e.Command+" "+e.Outcome), e.Code), body: struct {
		Command string `json:"command"`
		Code    int    `json:"exit_code"`
		Outcome string `json:"outcome"`
		Signal  string `json:"signal,omitempty"`
		Hosts   Tally  `json:"hosts"`
		Took    int64  `json:"took_ms"`
	}{e.Command, e.Code, e.Outcome, e.Signal, e.Hosts, e.Took.Milliseconds()}}
	if e.Code != 0 && e.Outcome != "changes" {
		l.level = levelError
	}
	return []line{l}
}
