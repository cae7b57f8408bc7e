package store

import (
	"database/sql"
	"time"
)

// stamp is how ActiveRecord writes a time to SQLite, always in UTC.
const stamp = "2006-01-02 15:04:05.000000"

// The forms that times are read in, with or without a fraction: ActiveRecord's
// and ISO 8601, which the older daemon wrote.
var stamps = [...]string{
	"2006-01-02 15:04:05",
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
}

func formatTime(t time.Time) sql.NullString {
	return sql.NullString{String: t.UTC().Format(stamp), Valid: !t.IsZero()}
}

// parseTime reads a column of times. NULL is the zero time, and so is what
// nobody can read: one bad cell must not keep the agent from its work.
func parseTime(s sql.NullString) time.Time {
	for _, layout := range stamps {
		if t, err := time.Parse(layout, s.String); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
