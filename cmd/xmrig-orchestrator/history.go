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

// past is how far history looks back.
const past = 24 * time.Hour

// maxWhy decisions are what why prints, and maxHistory what history reads.
const (
	maxWhy     = 10
	maxHistory = 1000
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
	if err != nil {
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
	for _, e := range events {
		fmt.Fprintln(m.Stdout, eventLine(e))
	}
	return nil
}

// decisions reads the last ones of a host; none, where there is no database
// that could hold any.
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

// eventLine is an event for people.
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

// why prints the last decisions with what they were made from.
func (m *Main) why(ctx context.Context, s agent.Settings) error {
	decisions, err := m.decisions(ctx, s.Hostname, maxWhy)
	if err != nil {
		return err
	}
	if len(decisions) == 0 {
		return errors.New("no decision is recorded yet")
	}
	return printWhy(m.Stdout, merge(nil, decisions))
}

func printWhy(w io.Writer, events []agent.Event) error {
	for _, e := range events {
		if _, err := fmt.Fprintln(w, eventLine(e)); err != nil {
			return err
		}
	}
	return nil
}
