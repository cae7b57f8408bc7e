package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake"
	"xmrfleet/modules/agent"
)

// A request is what the command line of enqueue asks for.
type request struct {
	action string
	reason string
	wait   waitFlag
}

// flags defines the flags. It takes the action, which is no flag, from the front
// of the arguments and returns the rest.
func (r *request) flags(flags *flag.FlagSet, args []string) []string {
	flags.StringVar(&r.reason, "reason", "", "")
	flags.Var(&r.wait, "wait", "")
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		r.action, args = args[0], args[1:]
	}
	return args
}

// A waitFlag is the value of --wait, --wait=false or --wait=10s. Zero is not to
// wait.
type waitFlag time.Duration

func (w *waitFlag) String() string   { return time.Duration(*w).String() }
func (w *waitFlag) IsBoolFlag() bool { return true }

func (w *waitFlag) Set(s string) error {
	if wait, err := strconv.ParseBool(s); err == nil {
		*w = 0
		if wait {
			*w = waitFlag(30 * time.Second)
		}
		return nil
	}
	d, err := time.ParseDuration(s)
	*w = waitFlag(d)
	return err
}

// enqueue puts a command into the queue and wakes the agent. It may wait until
// the command has ended, and prints how.
func (m *Main) enqueue(ctx context.Context, s agent.Settings, r request) error {
	switch {
	case r.action == "":
		return fmt.Errorf("enqueue: one of %s is missing: %w", strings.Join(store.Actions, ", "), errUsage)
	case r.reason == "":
		return fmt.Errorf("enqueue %s: --reason is missing: %w", r.action, errUsage)
	}
	db, err := m.Open(ctx, s.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := db.Enqueue(ctx, s.Hostname, r.action, r.reason, m.Now())
	if err != nil {
		return err
	}
	if wake.Ring(m.WakeSocket()) != nil {
		fmt.Fprintln(m.Stderr, "the agent does not run; it will do the command when it starts")
	}
	if r.wait == 0 {
		_, err := fmt.Fprintf(m.Stdout, "command %d: %s is pending\n", id, r.action)
		return err
	}
	return m.await(ctx, db, s.Hostname, id, time.Duration(r.wait))
}

// await waits until a command has ended, and prints how. One that failed, or has
// not ended in time, is an error.
func (m *Main) await(ctx context.Context, db *store.Store, hostname string, id int64, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	status := store.Pending
	for {
		c, err := db.Command(ctx, hostname, id)
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
