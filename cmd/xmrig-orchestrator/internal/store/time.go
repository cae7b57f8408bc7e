package store

import (
	"database/sql"
	"time"
)

// stamp is how ActiveRecord writes a time to SQLite, always in UTC.
const stamp = "2006-01-02 15:04:05.000000"

// stamps are the forms in which times are read, with or without a fraction:
// ActiveRecord's, and those of ISO 8601, which the older daemon wrote.
var stamps = [...]string{
	"2006-01-02 15:04:05",
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
}

func formatTime(t time.Time) sql.NullString {
	return sql.NullString{String: t.UTC().Format(stamp), Valid: !t.IsZero()}
}

// parseTime reads a cell of times. NULL and what cannot be parsed are the zero
// time: one bad cell must not keep the agent from its work.
func parseTime(s sql.NullString) time.Time {
	for _, layout := range stamps {
		if t, err := time.Parse(layout, s.String); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// scanTimes reads a result of one column of times.
func scanTimes(rows *sql.Rows, err error) ([]time.Time, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []time.Time
	for rows.Next() {
		var t sql.NullString
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		all = append(all, parseTime(t))
	}
	return all, rows.Err()
}
