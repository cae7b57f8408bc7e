package store

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDecisions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	wedged := Decision{At: checked, State: "unhealthy", Cause: "wedged", Action: "restart", Evidence: "0.01 cores, it's flat"}
	healthy := Decision{At: checked.Add(time.Hour), State: "running", Cause: "healthy"}
	again := healthy
	again.At = again.At.Add(time.Microsecond)
	for _, d := range []Decision{wedged, wedged, healthy, again, again} {
		if err := s.AddDecision(t.Context(), host, d); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddDecision(t.Context(), "mini-2", wedged); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int][]Decision{1: {again}, 2: {healthy, again}, 9: {wedged, healthy, again}} {
		got, err := s.Decisions(t.Context(), host, n)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the last %d are %+v, %v; want %+v", n, got, err, want)
		}
	}
	if err := s.PruneDecisions(t.Context(), checked.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Decisions(t.Context(), host, 9); err != nil || len(got) != 2 {
		t.Errorf("left are %+v, %v", got, err)
	}
}

func TestMemory(t *testing.T) {
	s := mustOpenOwn(t, filepath.Join(t.TempDir(), "own.sqlite3"))
	if b, err := s.Memory(t.Context(), host); b != nil || err != nil {
		t.Errorf("at first: %q, %v", b, err)
	}
	for _, text := range []string{`{"a":1}`, `{"b":2}`} {
		if err := s.SaveMemory(t.Context(), host, []byte(text), checked); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Memory(t.Context(), host); string(b) != text || err != nil {
			t.Errorf("memory is %q, %v; want %q", b, err, text)
		}
	}
}

// A database of another program gets no table.
func TestOwnTables(t *testing.T) {
	dir := t.TempDir()
	sqlite3(t, filepath.Join(dir, "shared"), "CREATE TABLE t (x)")
	mustOpen(t, filepath.Join(dir, "shared"))
	mustOpenOwn(t, filepath.Join(dir, "own"))
	const tables = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`
	for name, want := range map[string]string{
		"shared": "t",
		"own":    "agent_decisions agent_memory xmrig_commands xmrig_processes",
	} {
		if got := strings.Join(strings.Fields(sqlite3(t, filepath.Join(dir, name), tables)), " "); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
}
