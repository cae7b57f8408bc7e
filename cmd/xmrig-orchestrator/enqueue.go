package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake"
	"xmrfleet/modules/agent"
)

// An enqueue is a command that a person gives.
type enqueue struct {
	action string
	reason string
	wait   patience
}

// flags takes the action from the front of the arguments and returns the rest,
// for flags to parse.
func (e *enqueue) flags(flags *flag.FlagSet, args []string) []string {
	flags.StringVar(&e.reason, "reason", "", "")
	flags.Var(&e.wait, "wait", "")
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		e.action, args = args[0], args[1:]
	}
	return args
}

// A patience is a flag that may stand alone, or name a time.
type patience time.Duration

func (p *patience) String() string   { return time.Duration(*p).String() }
func (p *patience) IsBoolFlag() bool { return true }

func (p *patience) Set(s string) error {
	if wait, err := strconv.ParseBool(s); err == nil {
		*p = 0
		if wait {
			*p = patience(30 * time.Second)
		}
		return nil
	}
	d, err := time.ParseDuration(s)
	*p = patience(d)
	return err
}

// enqueue gives the agent a command, wakes it, and may wait for the end of
// the command, which it prints.
func (m *Main) enqueue(ctx context.Context, s agent.Settings, e enqueue) error {
	switch {
	case e.action == "":
		return fmt.Errorf("enqueue: one of %s is missing: %w", strings.Join(store.Actions, ", "), errUsage)
	case e.reason == "":
		return fmt.Errorf("enqueue %s: --reason is missing: %w", e.action, errUsage)
	}
	open := store.Open
	if s.Database == m.Own {
		open = store.OpenOwn
	}
	db, err := open(ctx, s.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := db.Enqueue(ctx, s.Hostname, e.action, e.reason, m.Now())
	if err != nil {
		return err
	}
	if wake.Ring(filepath.Join(m.RunDir, wakeName)) != nil {
		fmt.Fprintln(m.Stderr, "the agent does not run; it will do the command when it starts")
	}
	if e.wait == 0 {
		_, err := fmt.Fprintf(m.Stdout, "command %d: %s is pending\n", id, e.action)
		return err
	}
	return m.await(ctx, db, id, time.Duration(e.wait))
}

// await prints how a command ends.
func (m *Main) await(ctx context.Context, db *store.Store, id int64, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	status := store.Pending
	for {
		c, err := db.Command(ctx, id)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return err
		case c.Status == store.Failed:
			return fmt.Errorf("command %d: %s failed: %s", id, c.Action, c.Error)
		case c.Status == store.Completed:
			_, err := fmt.Fprintln(m.Stdout, strings.TrimSpace(fmt.Sprintf("command %d: %s is completed\n%s", id, c.Action, c.Result)))
			return err
		default:
			status = c.Status
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("command %d: still %s after %v", id, status, wait)
			}
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
