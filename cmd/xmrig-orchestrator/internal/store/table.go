package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// A table is one of the specification as it is in this database. In the database
// of another program it may lack columns: they read as NULL and are not
// written. So each statement is written as if all columns were there: it reads
// from rows, and its update and insert leave out what has no column.
type table struct {
	name     string
	wanted   []string // the columns of the specification
	required []string // those without which the table is of no use
	inserted []string // those that an insert fills
	without  string   // what is not done without the table

	columns map[string]bool // that it has; empty: there is no table
	demands []string        // that an insert has to fill
	rows    string          // of the host ?1, with all columns of the specification
}

func processTable() table {
	return table{
		name: "xmrig_processes",
		wanted: []string{"id", "hostname", "worker_id", "status", "pid", "started_at", "stopped_at", "last_health_check_at",
			"error_count", "last_error", "restart_count", "hashrate", "accepted_shares", "rejected_shares", "health_data",
			"created_at", "updated_at"},
		required: []string{"hostname", "status"},
		inserted: columnsOf(processValues),
		without:  "the miner's state is not recorded there",
	}
}

func commandTable() table {
	return table{
		name: "xmrig_commands",
		wanted: []string{"id", "hostname", "action", "status", "reason", "result", "processed_at", "error_message",
			"created_at", "updated_at"},
		required: []string{"id", "action", "status"},
		inserted: columnsOf(commandValues),
		without:  "no command is taken from there",
	}
}

// A Fault is what is wrong with a table, and how to mend it. It stays until the
// schema is another one.
type Fault string

func (f Fault) Error() string { return string(f) }

// look reads which columns the table has.
func (t *table) look(ctx context.Context, db *sql.DB) error {
	const find = `SELECT name, "notnull" AND dflt_value IS NULL AND NOT pk FROM pragma_table_info(?)`
	rows, err := db.QueryContext(ctx, find, t.name)
	if err != nil {
		return err
	}
	defer rows.Close()
	t.columns, t.demands = make(map[string]bool), nil
	for rows.Next() {
		var name string
		var demanded bool
		if err := rows.Scan(&name, &demanded); err != nil {
			return err
		}
		name = strings.ToLower(name)
		t.columns[name] = true
		if demanded {
			t.demands = append(t.demands, name)
		}
	}
	t.rows = t.ofHost()
	return rows.Err()
}

// ofHost is a query for rows. The older daemon wrote host names as blobs. A table
// without hostname belongs to this host alone.
func (t *table) ofHost() string {
	query := "(SELECT *"
	for _, name := range t.wanted {
		if !t.columns[name] {
			query += ", NULL AS " + name
		}
	}
	query += " FROM " + t.name
	if t.columns["hostname"] {
		query += " WHERE hostname IN (?1, CAST(?1 AS BLOB))"
	}
	return query + ")"
}

// column is a column's name, or NULL where there is none.
func (t *table) column(name string) string {
	if t.columns[name] {
		return name
	}
	return "NULL"
}

// update begins an UPDATE by assignments such as "status = ?2".
func (t *table) update(assignments ...string) string {
	assignments = slices.DeleteFunc(slices.Clone(assignments), func(a string) bool { return !t.columns[columnOf(a)] })
	return "UPDATE " + t.name + " SET " + strings.Join(assignments, ", ") + " "
}

// insert is an INSERT of one row, by assignments as for update. A WHERE may
// follow.
func (t *table) insert(assignments ...string) string {
	var names, values []string
	for _, a := range assignments {
		if name, value, _ := strings.Cut(a, " = "); t.columns[name] {
			names, values = append(names, name), append(values, value)
		}
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " "
}

func columnOf(assignment string) string {
	name, _, _ := strings.Cut(assignment, " = ")
	return name
}

func columnsOf(assignments []string) (names []string) {
	for _, a := range assignments {
		names = append(names, columnOf(a))
	}
	return names
}

// lacks returns a Fault if the table is of no use.
func (t *table) lacks(path string) error {
	if len(t.columns) == 0 {
		return Fault(fmt.Sprintf("%s has no table %s: %s; it is waited for, until the migrations of its application have made it", path, t.name, t.without))
	}
	for _, name := range t.required {
		if !t.columns[name] {
			return Fault(fmt.Sprintf("%s in %s has no column %s: %s; add the column by a migration", t.name, path, name, t.without))
		}
	}
	return nil
}

// refuses returns a Fault if no row can be added to the table.
func (t *table) refuses(path string) error {
	for _, name := range t.demands {
		if !slices.Contains(t.inserted, name) {
			return Fault(fmt.Sprintf("%s in %s: column %s is NOT NULL, has no default, and is not known here: no row can be added; give it a default by a migration", t.name, path, name))
		}
	}
	return nil
}

// Look looks at the tables, if they may have changed since the last time. It is
// for the beginning of each use: nothing else notices that a migration ran.
func (s *Store) Look(ctx context.Context) (changed bool, err error) {
	var version int64
	read, err := s.statement(ctx, "PRAGMA schema_version")
	if err == nil {
		err = read.QueryRowContext(ctx).Scan(&version)
	}
	if err != nil {
		return false, fmt.Errorf("read schema: %w", err)
	}
	if s.looked && version == s.schema {
		return false, nil
	}
	s.forget()
	s.looked = false
	for _, t := range []*table{&s.processes, &s.commands} {
		if err := t.look(ctx, s.db); err != nil {
			return false, fmt.Errorf("read schema of %s: %w", t.name, err)
		}
	}
	s.looked, s.schema = true, version
	return true, nil
}

// Faults are what was wrong with the tables when they were last looked at.
func (s *Store) Faults() (all []string) {
	for _, t := range []*table{&s.processes, &s.commands} {
		err := t.lacks(s.path)
		if err == nil {
			err = t.refuses(s.path)
		}
		if err != nil {
			all = append(all, err.Error())
		}
	}
	return all
}
