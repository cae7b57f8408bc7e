package store

import (
	"context"
	"fmt"
)

// Adopt makes one row of a host's rows in xmrig_processes, with the host's name as
// text. The older daemon wrote it as a blob, which no other program finds; its
// counts are added to those of the row that stays.
func (s *Store) Adopt(ctx context.Context, hostname string) error {
	if s.processes.lacks(s.path) != nil {
		return nil
	}
	var found bool
	const find = `SELECT EXISTS (SELECT 1 FROM xmrig_processes WHERE hostname = CAST(?1 AS BLOB))`
	if err := s.db.QueryRowContext(ctx, find, hostname).Scan(&found); err != nil || !found {
		return wrap("adopt process of "+hostname, err)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap("adopt process of "+hostname, err)
	}
	defer tx.Rollback()
	const all = ` FROM xmrig_processes WHERE hostname IN (?1, CAST(?1 AS BLOB))`
	var stays int64
	if err := tx.QueryRowContext(ctx, `SELECT rowid`+all+` ORDER BY typeof(hostname) DESC, rowid LIMIT 1`, hostname).Scan(&stays); err != nil {
		return wrap("adopt process of "+hostname, err)
	}
	for _, step := range []string{
		s.processes.update("status = status",
			"error_count = (SELECT sum(COALESCE(error_count, 0))"+all+")",
			"restart_count = (SELECT sum(COALESCE(restart_count, 0))"+all+")") + `WHERE rowid = ?2`,
		`DELETE` + all + ` AND rowid <> ?2`,
		s.processes.update("hostname = ?1") + `WHERE rowid = ?2`,
	} {
		if _, err := tx.ExecContext(ctx, step, hostname, stays); err != nil {
			return wrap("adopt process of "+hostname, err)
		}
	}
	return wrap("adopt process of "+hostname, tx.Commit())
}

// wrap adds the operation to an error, if there is one.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}
