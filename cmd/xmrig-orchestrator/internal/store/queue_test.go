package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"
)

const host = "mini-1"

// enqueue adds a command of a person, each a minute after the one before.
func enqueue(t *testing.T, s *Store, minute int, action, reason string) int64 {
	t.Helper()
	id, err := s.Enqueue(t.Context(), host, action, reason, checked.Add(time.Duration(minute)*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// claim claims a command an hour later.
func claim(t *testing.T, s *Store) Command {
	t.Helper()
	c, err := s.Claim(t.Context(), host, checked.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// queue shows the commands as they stand in the database.
func queue(t *testing.T, path string) string {
	t.Helper()
	return sqlite3(t, path, `.nullvalue -
SELECT id, action, status, reason, result, error_message FROM xmrig_commands ORDER BY id;`)
}

func TestQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	if _, err := s.Claim(t.Context(), host, checked); !errors.Is(err, ErrNoCommand) {
		t.Errorf("an empty queue: %v", err)
	}
	enqueue(t, s, 0, Start, "because")
	enqueue(t, s, 1, Restart, "it's $(reboot); DROP TABLE")
	c := claim(t, s)
	if c.ID != 2 || c.Action != Restart || c.Reason != "it's $(reboot); DROP TABLE" || c.Status != Processing || c.Own() ||
		!c.Created.Equal(checked.Add(time.Minute)) {
		t.Errorf("claimed %+v", c)
	}
	// What is processing is left alone by a newer one.
	enqueue(t, s, 2, Stop, "")
	if err := s.Finish(t.Context(), Outcome{ID: c.ID, Result: "done\n", At: checked}); err != nil {
		t.Fatal(err)
	}
	c = claim(t, s)
	if err := s.Finish(t.Context(), Outcome{ID: c.ID, Result: "no", Error: "exit status 1: no", At: checked}); err != nil {
		t.Fatal(err)
	}
	const want = `
1|start|failed|because|-|Superseded by new command
2|restart|completed|it's $(reboot); DROP TABLE|done
|-
3|stop|failed||no|exit status 1: no
`
	if got := queue(t, path); got != want[1:] {
		t.Errorf("queue is\n%s\nwant\n%s", got, want[1:])
	}
	const times = `SELECT created_at, processed_at, updated_at FROM xmrig_commands WHERE id = 2`
	if got := sqlite3(t, path, times); got != "2026-11-22 23:11:00.123456|2026-11-23 00:10:00.123456|2026-11-22 23:10:00.123456\n" {
		t.Errorf("times are %q", got)
	}
	all, err := s.Commands(t.Context(), host, checked.Add(time.Second))
	if err != nil || len(all) != 2 || all[0].ID != 2 || all[1].Error != "exit status 1: no" {
		t.Errorf("history is %+v, %v", all, err)
	}
	if err := s.Finish(t.Context(), Outcome{ID: 1, At: checked}); err != nil || queue(t, path) != want[1:] {
		t.Errorf("one that was not claimed is finished: %v", err)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	for _, tt := range []struct{ action, reason, want string }{
		{"reboot", "", `enqueue: unknown action "reboot", want one of start, stop, restart`},
		{Start, "xmrig-orchestrator: wedged", `enqueue start: a reason that begins with "xmrig-orchestrator: " is the agent's own`},
	} {
		if _, err := s.Enqueue(t.Context(), host, tt.action, tt.reason, checked); err == nil || err.Error() != tt.want {
			t.Errorf("%s: error is %v, want %s", tt.action, err, tt.want)
		}
	}
	if got := queue(t, path); got != "" {
		t.Errorf("queue is %s", got)
	}
}

func TestRateLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, status, reason, created_at, updated_at) VALUES
  ('mini-1', 'start', 'completed', 'ISO', '2026-11-22T23:09:30Z', ''),
  ('mini-2', 'start', 'completed', 'another host', '2026-11-22 23:10:00', ''),
  ('mini-1', 'restart', 'completed', 'xmrig-orchestrator: wedged', '2026-11-22 23:10:00', '')`)
	at := func(seconds int) error {
		_, err := s.Enqueue(t.Context(), host, Restart, "again", checked.Add(time.Duration(seconds)*time.Second))
		return err
	}
	for i := range 4 {
		if err := at(i); err != nil {
			t.Fatal(err)
		}
	}
	const want = "enqueue restart: rate limit exceeded: more than 5 commands within a minute"
	if err := at(4); !errors.Is(err, ErrRateLimit) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if ok, err := s.EnqueueOwn(t.Context(), host, Restart, OwnReason("wedged"), checked); ok || err != nil {
		t.Errorf("the agent's own beside a pending one: %v, %v", ok, err)
	}
	claim(t, s)
	if ok, err := s.EnqueueOwn(t.Context(), host, Restart, OwnReason("wedged"), checked); ok || err != nil {
		t.Errorf("the agent's own beside one that is processed: %v, %v", ok, err)
	}
	// The first is more than a minute old by now.
	if err := at(40); err != nil {
		t.Error(err)
	}
	// A clock that was set back by a day counts none of them.
	if err := at(-86400); err != nil {
		t.Error(err)
	}
}

// The agent's own commands supersede no other, and do not count for the rate limit.
func TestOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	for i := range 8 {
		if ok, err := s.EnqueueOwn(t.Context(), host, Restart, OwnReason("wedged"), checked); !ok || err != nil {
			t.Fatalf("%d: %v, %v", i, ok, err)
		}
		c := claim(t, s)
		if !c.Own() || c.Reason != "xmrig-orchestrator: wedged" {
			t.Fatalf("claimed %+v", c)
		}
		s.Finish(t.Context(), Outcome{ID: c.ID, At: checked})
	}
	enqueue(t, s, 0, Stop, "mine")
	if ok, err := s.EnqueueOwn(t.Context(), host, Restart, OwnReason("wedged"), checked); ok || err != nil {
		t.Errorf("beside a pending stop: %v, %v", ok, err)
	}
	if c := claim(t, s); c.Action != Stop {
		t.Errorf("claimed %+v", c)
	}
	s.Finish(t.Context(), Outcome{ID: 9, At: checked})
	if ok, err := s.EnqueueOwn(t.Context(), host, Restart, OwnReason("wedged"), checked); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	enqueue(t, s, 1, Start, "mine")
	if c := claim(t, s); c.Action != Start {
		t.Errorf("claimed %+v", c)
	}
	if _, err := s.Claim(t.Context(), host, checked); !errors.Is(err, ErrNoCommand) {
		t.Errorf("the agent's own is still there: %v", err)
	}
}

// What ActiveRecord and people with sqlite3 insert, without a look at what is
// pending.
func TestClaimOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO "xmrig_commands" ("hostname", "action", "status", "reason", "result", "processed_at", "error_message", "created_at", "updated_at") VALUES
  ('mini-1', 'stop', 'pending', 'manual', NULL, NULL, NULL, '2026-11-22 23:09:00.000001', '2026-11-22 23:09:00.000001'),
  ('mini-1', 'restart', 'pending', NULL, NULL, NULL, NULL, '2026-11-22T23:08:00Z', '2026-11-22T23:08:00Z'),
  ('mini-1', 'start; reboot', 'pending', 'x', NULL, NULL, NULL, 'soon', 'soon'),
  ('mini-2', 'start', 'pending', 'x', NULL, NULL, NULL, '2026-11-22 23:09:00', '2026-11-22 23:09:00')`)
	if c := claim(t, s); c.ID != 2 || c.Action != Restart || c.Reason != "" {
		t.Errorf("claimed %+v", c)
	}
	const want = `
1|stop|failed|manual|-|Superseded by new command
2|restart|processing|-|-|-
3|start; reboot|failed|x|-|Unknown action: start; reboot
4|start|pending|x|-|-
`
	if got := queue(t, path); got != want[1:] {
		t.Errorf("queue is\n%s\nwant\n%s", got, want[1:])
	}
}

// A program that inserts commands without end does not restart the miner
// without end.
func TestClaimFlood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	insert := func() {
		sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, created_at, updated_at)
VALUES ('mini-1', 'restart', datetime('now'), datetime('now'))`)
	}
	for i := range 6 {
		insert()
		c, err := s.Claim(t.Context(), host, checked)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		s.Finish(t.Context(), Outcome{ID: c.ID, At: checked})
	}
	insert()
	if _, err := s.Claim(t.Context(), host, checked); !errors.Is(err, ErrNoCommand) {
		t.Errorf("the seventh: %v", err)
	}
	if got := sqlite3(t, path, `SELECT status, error_message FROM xmrig_commands WHERE id = 7`); got != "failed|"+ErrRateLimit.Error()+"\n" {
		t.Errorf("the seventh: %s", got)
	}
	insert()
	if c, err := s.Claim(t.Context(), host, checked.Add(time.Minute)); err != nil || c.ID != 8 {
		t.Errorf("a minute later: %+v, %v", c, err)
	}
}

func TestRecover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, status, reason, processed_at, created_at, updated_at) VALUES
  ('mini-1', 'stop', 'processing', 'a', '2026-11-22 23:10:00', '', ''),
  ('mini-1', 'restart', 'processing', 'not done', '2026-11-22 23:10:00.5', '', ''),
  ('mini-1', 'restart', 'processing', 'done', '2026-11-22T23:09:00Z', '', ''),
  ('mini-1', 'restart', 'processing', 'xmrig-orchestrator: wedged', '2026-11-22 23:10:00', '', ''),
  ('mini-1', 'start', 'pending', 'b', NULL, '', ''),
  ('mini-1', 'restart', 'pending', 'xmrig-orchestrator: stale', NULL, '', ''),
  ('mini-2', 'start', 'processing', 'c', '2026-11-22 23:10:00', '', '')`)
	started := time.Date(2026, 11, 22, 23, 9, 0, 0, time.UTC)
	for range 2 {
		if err := s.Recover(t.Context(), host, started, checked); err != nil {
			t.Fatal(err)
		}
	}
	const want = `
1|stop|pending|a|-|-
2|restart|pending|not done|-|-
3|restart|completed|done|the agent ended meanwhile; the miner was started at 2026-11-22 23:09:00 UTC|-
4|restart|failed|xmrig-orchestrator: wedged||the agent ended meanwhile
5|start|pending|b|-|-
6|restart|failed|xmrig-orchestrator: stale|-|the agent ended meanwhile
7|start|processing|c|-|-
`
	if got := queue(t, path); got != want[1:] {
		t.Errorf("queue is\n%s\nwant\n%s", got, want[1:])
	}
	if c := claim(t, s); c.ID != 5 {
		t.Errorf("claimed %+v: a newer one takes the place of a recovered one", c)
	}
}

func TestPrune(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, status, reason, created_at, updated_at) VALUES
  ('mini-1', 'start', 'completed', 'old', '2026-11-21 23:09:59', '2026-11-21 23:09:59.999'),
  ('mini-1', 'start', 'failed', 'old', '2026-11-21T23:09:59Z', '2026-11-21T23:09:59Z'),
  ('mini-1', 'start', 'failed', 'old', '2026-11-21T23:09:59Z', 'never'),
  ('mini-1', 'start', 'completed', 'ended late', '2026-11-20 00:00:00', '2026-11-21 23:10:01'),
  ('mini-1', 'start', 'completed', 'young', '2026-11-21T23:10:01Z', '2026-11-21T23:10:01Z'),
  ('mini-1', 'start', 'completed', 'no time', 'soon', ''),
  ('mini-1', 'start', 'pending', 'not ended', '2026-11-01 00:00:00', '2026-11-01 00:00:00'),
  ('mini-1', 'start', 'processing', 'not ended', '2026-11-01 00:00:00', '2026-11-01 00:00:00'),
  ('mini-2', 'start', 'completed', 'another host', '2026-11-01 00:00:00', '2026-11-01 00:00:00')`)
	if err := s.PruneCommands(t.Context(), host, checked.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	const want = "ended late\nyoung\nno time\nnot ended\nnot ended\nanother host\n"
	if got := sqlite3(t, path, `SELECT reason FROM xmrig_commands ORDER BY id`); got != want {
		t.Errorf("left are\n%s\nwant\n%s", got, want)
	}
}
