package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/modules/agent"
)

const (
	past       = 24 * time.Hour // how far back history goes
	maxHistory = 1000           // decisions that it reads
)

// history prints the commands and decisions of the last day, the newest last.
func (m *Main) history(ctx context.Context, s agent.Settings, asJSON bool) error {
	since := m.Now().Add(-past)
	db, err := store.OpenReadOnly(ctx, s.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	commands, err := db.Commands(ctx, s.Hostname, since)
	if err != nil && !store.Refused(err) { // which is no reason to hide the decisions
		return err
	}
	decisions, err := m.decisions(ctx, s.Hostname, maxHistory)
	if err != nil {
		return err
	}
	decisions = slices.DeleteFunc(decisions, func(d store.Decision) bool { return d.At.Before(since) })
	events := merge(commands, decisions)
	if asJSON {
		return json.NewEncoder(m.Stdout).Encode(agent.History{
			Version: agent.HistoryVersion, Hostname: s.Hostname, Events: events})
	}
	printEvents(m.Stdout, events)
	return nil
}

// printEvents prints a line for each event.
func printEvents(w io.Writer, events []agent.Event) error {
	for _, e := range events {
		if _, err := fmt.Fprintln(w, eventLine(e)); err != nil {
			return err
		}
	}
	return nil
}

// decisions reads the last n decisions of a host. There are none where the
// agent's own database does not exist yet.
func (m *Main) decisions(ctx context.Context, hostname string, n int) ([]store.Decision, error) {
	db, err := store.OpenReadOnly(ctx, m.Own)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Decisions(ctx, hostname, n)
}

// merge makes one list of commands and decisions, sorted by time.
func merge(commands []store.Command, decisions []store.Decision) []agent.Event {
	events := make([]agent.Event, 0, len(commands)+len(decisions))
	for _, c := range commands {
		events = append(events, agent.Event{At: c.Created, Command: &agent.Command{
			ID: c.ID, Action: c.Action, Status: c.Status, Reason: c.Reason,
			Result: c.Result, Error: c.Error, ProcessedAt: moment(c.Processed)}})
	}
	for _, d := range decisions {
		events = append(events, agent.Event{At: d.At, Decision: &agent.Decision{
			State: d.State, Cause: d.Cause, Action: d.Action, Evidence: d.Evidence}})
	}
	slices.SortStableFunc(events, func(a, b agent.Event) int { return a.At.Compare(b.At) })
	return events
}

// eventLine is an event in one line for people.
func eventLine(e agent.Event) string {
	line := e.At.Format(time.DateTime) + "  "
	if d := e.Decision; d != nil {
		return line + d.String()
	}
	c := e.Command
	line += fmt.Sprintf("command %d: %s %s", c.ID, c.Action, c.Status)
	if c.Reason != "" {
		line += fmt.Sprintf(" (%s)", c.Reason)
	}
	if text := cmp.Or(c.Error, c.Result); text != "" {
		line += ": " + strings.ReplaceAll(text, "\n", "; ")
	}
	return line
}
