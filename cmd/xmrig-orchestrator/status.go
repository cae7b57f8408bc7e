package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

// status prints the host's row. If it cannot be read, that is an error, and the
// JSON is made of a poll that is not recorded, with the error as last_error.
func (m *Main) status(ctx context.Context, s agent.Settings, asJSON bool) error {
	p, failed, err := m.readRow(ctx, s)
	if !asJSON && err != nil {
		return err
	}
	var st agent.Status
	if err == nil {
		st = statusOf(p, failed)
	} else {
		st = m.statusNow(ctx, s, err)
	}
	st.Daemon, st.Config = m.Daemon(), m.Payees()
	if err == nil {
		st = m.withDecision(ctx, st)
	}
	if !asJSON {
		return printStatus(m.Stdout, st, m.Now())
	}
	return errors.Join(err, json.NewEncoder(m.Stdout).Encode(st))
}

// statusNow is the status that a poll would record now. Reason is why nothing is
// recorded.
func (m *Main) statusNow(ctx context.Context, s agent.Settings, reason error) agent.Status {
	o := m.Observe(ctx, s)
	d, _ := health.Watch{}.Decide(o, health.NewPolicy(s))
	p := health.Process{Hostname: s.Hostname, WorkerID: s.WorkerID}.Next(o, d, nil)
	p.Errors, p.CheckedAt = 0, time.Time{}
	st := statusOf(p, 0)
	st.LastError, st.Cause, st.Evidence = reason.Error(), string(d.Cause), d.Evidence
	return st
}

// withDecision adds the cause and the evidence of the last decision, and since
// when the state and the cause are the same. It adds nothing where the last
// decision was for another state: a command is just changing it. The evidence is
// that of the last poll if it is known, or else of the poll that decided so, and
// ends with the time of it.
func (m *Main) withDecision(ctx context.Context, st agent.Status) agent.Status {
	last, err := m.decisions(ctx, st.Hostname, maxWhy)
	if err != nil {
		return st
	}
	for _, d := range slices.Backward(last) {
		if d.State != st.State || st.Cause != "" && d.Cause != st.Cause {
			break
		}
		if st.Cause == "" {
			st.Cause, st.Evidence = d.Cause, asOf(d.Evidence, d.At)
		}
		st.Since = moment(d.At)
	}
	self := st.Daemon
	if self != nil && self.Decision != nil && self.Decision.State == st.State && self.Decision.Cause == st.Cause &&
		self.Decision.Evidence != "" {
		st.Evidence = asOf(self.Decision.Evidence, self.CheckedAt)
	}
	return st
}

// asOf adds to an evidence when it was so.
func asOf(evidence string, at time.Time) string {
	if evidence == "" {
		return ""
	}
	return evidence + " (as of " + at.Format(time.DateTime) + " UTC)"
}

// readRow reads the host's row and how many of its commands failed within the
// last hour.
func (m *Main) readRow(ctx context.Context, s agent.Settings) (p health.Process, failed int, err error) {
	db, err := store.OpenReadOnly(ctx, s.Database)
	if err != nil {
		return p, 0, err
	}
	defer db.Close()
	if p, err = db.Process(ctx, s.Hostname); err != nil {
		return p, 0, err
	}
	failed, err = db.FailedCommands(ctx, s.Hostname, m.Now().Add(-time.Hour))
	if store.Refused(err) { // which is no reason to hide the row
		err = nil
	}
	return p, failed, err
}

func statusOf(p health.Process, failed int) agent.Status {
	st := agent.Status{
		Version:           agent.StatusVersion,
		Hostname:          p.Hostname,
		WorkerID:          p.WorkerID,
		State:             p.State,
		PID:               p.PID,
		StartedAt:         moment(p.StartedAt),
		StoppedAt:         moment(p.StoppedAt),
		LastHealthCheckAt: moment(p.CheckedAt),
		ErrorCount:        p.Errors,
		RestartCount:      p.Restarts,
		FailedCommands:    failed,
	}
	if p.State != agent.Running { // or it is of what is over
		st.LastError = p.LastError
	}
	// The shares of a process that has ended stay in the row until another one runs.
	replaced := p.PID == 0 && (p.State == agent.Starting || p.State == agent.Restarting)
	if p.Accepted != nil && !replaced {
		st.Accepted = *p.Accepted
	}
	if p.Rejected != nil && !replaced {
		st.Rejected = *p.Rejected
	}
	if s, err := miner.Parse(p.Snapshot); err == nil {
		st.Hashrate = s.Hashrate.Total
		st.Pool = s.Connection.Pool
		st.PoolConnected = s.Connected()
		st.Paused = s.Paused
		st.Uptime = s.Uptime
		st.XMRigVersion = s.Version
	}
	return st
}

// moment is nil for the zero time, so that JSON leaves it out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func printStatus(w io.Writer, s agent.Status, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, value)
		}
	}
	row("host", s.Hostname)
	row("worker", s.WorkerID)
	row("state", s.State)
	if s.Cause != s.State {
		row("cause", s.Cause)
	}
	row("since", ago(s.Since, now))
	row("evidence", s.Evidence)
	if s.PID != 0 {
		row("pid", strconv.Itoa(s.PID))
	}
	row("started", ago(s.StartedAt, now))
	row("stopped", ago(s.StoppedAt, now))
	row("xmrig", s.XMRigVersion)
	row("hashrate", rates(s.Hashrate))
	if s.XMRigVersion != "" || s.Accepted+s.Rejected > 0 {
		row("shares", fmt.Sprintf("%d accepted, %d rejected", s.Accepted, s.Rejected))
	}
	row("pool", pool(s))
	row("restarts", strconv.Itoa(s.RestartCount))
	row("errors", strconv.Itoa(s.ErrorCount))
	row("last error", s.LastError)
	if s.FailedCommands > 0 {
		row("commands", fmt.Sprintf("%d failed within the last hour", s.FailedCommands))
	}
	if s.Daemon != nil {
		for _, fault := range s.Daemon.Faults {
			row("fault", fault)
		}
	}
	row("checked", ago(s.LastHealthCheckAt, now))
	return t.Flush()
}

// rates shows H/s over 10 s, 60 s and 15 min, "" where none is known.
func rates(h [3]*float64) string {
	if h == [3]*float64{} {
		return ""
	}
	var s [3]string
	for i, rate := range h {
		s[i] = "n/a"
		if rate != nil {
			s[i] = strconv.FormatFloat(*rate, 'f', 1, 64)
		}
	}
	return strings.Join(s[:], " ") + " H/s (10s 60s 15m)"
}

func pool(s agent.Status) string {
	switch {
	case s.Pool == "":
		return ""
	case s.Paused:
		return s.Pool + ", paused"
	case !s.PoolConnected:
		return s.Pool + ", not connected"
	}
	return s.Pool
}

func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("%s (%v ago)", t.Format("2006-01-02 15:04:05 UTC"), now.Sub(*t).Truncate(time.Second))
}
