package store

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// insertMany inserts commands with sqlite3. After each hundred it waits for the
// agent to claim one that it did not have before.
func insertMany(path string, writer, n int, claimed *atomic.Int64) error {
	cmd := exec.Command("sqlite3", "-bail", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Fprintln(in, ".timeout 120000\nPRAGMA synchronous = OFF;")
	before := claimed.Load()
	for i := range n {
		fmt.Fprintf(in, `INSERT INTO xmrig_commands (hostname, action, reason, created_at, updated_at)
VALUES ('mini-1', 'restart', '%d-%d', datetime('now'), strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 'now'));
`, writer, i)
		if i%100 < 99 {
			continue
		}
		for end := time.Now().Add(2 * time.Minute); claimed.Load() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				return errors.New("no command is claimed")
			}
		}
		before = claimed.Load()
	}
	in.Close()
	if err := cmd.Wait(); err != nil || out.Len() > 0 {
		return fmt.Errorf("sqlite3: %v %s", err, &out)
	}
	return nil
}

// Two programs write at the same time, a thousand commands each, while the
// agent works them off; none is lost and none is done twice.
func TestConcurrent(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "production.sqlite3")
			sqlite3(t, path, "PRAGMA journal_mode = "+mode)
			mustMigrate(t, path)
			s := mustOpen(t, path)
			writing, done := context.WithCancel(t.Context())
			var claimed atomic.Int64
			var wg sync.WaitGroup
			for w := range 2 {
				wg.Go(func() {
					if err := insertMany(path, w, 1000, &claimed); err != nil {
						t.Error(err)
					}
				})
			}
			go func() { wg.Wait(); done() }()

			patiently := func(do func() error) error {
				for {
					if err := do(); err == nil || !strings.Contains(err.Error(), "locked") {
						return err
					}
				}
			}
			for last := false; ; {
				var c Command
				err := patiently(func() (err error) {
					c, err = s.Claim(t.Context(), host, checked.Add(time.Duration(claimed.Load())*time.Hour))
					return err
				})
				if errors.Is(err, ErrNoCommand) {
					if last {
						break
					}
					last = writing.Err() != nil
					continue
				}
				if err == nil {
					claimed.Add(1)
					err = patiently(func() error { return s.Finish(t.Context(), Outcome{ID: c.ID, At: checked}) })
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			n := claimed.Load()
			want := fmt.Sprintf("2000|2000|%d|%d\nok\n", n, 2000-n)
			got := sqlite3(t, path, `SELECT count(*), count(DISTINCT reason), sum(status = 'completed'), sum(error_message = 'Superseded by new command')
FROM xmrig_commands; PRAGMA integrity_check`)
			if got != want {
				t.Errorf("queue is %s, want %s", got, want)
			}
			if n < 10 {
				t.Errorf("only %d were claimed: nothing happened at the same time", n)
			}
		})
	}
}

// A claim that cannot be committed, because another program does not end its
// reading, leaves the command pending.
func TestClaimUncommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "production.sqlite3")
	sqlite3(t, path, "PRAGMA journal_mode = DELETE")
	mustMigrate(t, path)
	s := mustOpen(t, path)
	enqueue(t, s, 0, Restart, "x")
	release := lock(t, path, "BEGIN; SELECT count(*) > 9 FROM xmrig_commands WHERE id > 9 GROUP BY id; SELECT action FROM xmrig_commands WHERE id = 9;")
	if c, err := s.Claim(t.Context(), host, checked); err == nil || !strings.Contains(err.Error(), "database is locked") {
		t.Errorf("claimed %+v, %v", c, err)
	}
	release()
	if got := queue(t, path); got != "1|restart|pending|x|-|-\n" {
		t.Errorf("queue is %s", got)
	}
	if c := claim(t, s); c.ID != 1 {
		t.Errorf("claimed %+v", c)
	}
}
