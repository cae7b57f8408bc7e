package main

import (
	"os"
	"path/filepath"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
)

// A database that the environment names is used in place of that in the settings.
func TestRunDatabaseOfEnvironment(t *testing.T) {
	h := newHashingHost(t)
	t.Setenv("XMRIG_DB_PATH", filepath.Join(h.Dir, "rails.sqlite3"))
	unused := h.Settings.Database
	h.Settings.Database = os.Getenv("XMRIG_DB_PATH") // as the file does not say
	h.Migrate()
	h.start(false)
	h.AwaitPoll("first")
	if out, _, err := h.command("enqueue", "restart", "--reason", "x", "--wait="+hosttest.Patience.String()); err != nil {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := os.Stat(unused); !os.IsNotExist(err) {
		t.Errorf("the database of the settings: %v", err)
	}
}
