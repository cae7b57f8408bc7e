package store

import (
	"database/sql"
	"testing"
	"time"
)

func TestFormatTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 10, 0, 123456789, time.FixedZone("CET", 3600))
	if got := formatTime(at); got.String != "2026-11-22 23:10:00.123456" || !got.Valid {
		t.Errorf("formatted as %+v", got)
	}
	if got := formatTime(time.Time{}); got.Valid {
		t.Errorf("the zero time is %+v, not NULL", got)
	}
}

func TestParseTime(t *testing.T) {
	second := time.Date(2026, 11, 22, 23, 10, 0, 0, time.UTC)
	tests := []struct {
		text string
		want time.Time
	}{
		{"2026-11-22 23:10:00.123456", second.Add(123456 * time.Microsecond)},
		{"2026-11-22 23:10:00", second},
		{"2026-11-22T23:10:00Z", second},
		{"2026-11-23T00:10:00+01:00", second},
		{"2026-11-22T23:10:00.5Z", second.Add(500 * time.Millisecond)},
		{"2026-11-22T23:10:00", second},
		{"2026-11-23 00:10:00+01:00", second},
		{"2026-11-22", time.Time{}},
		{"", time.Time{}},
	}
	for _, tt := range tests {
		got := parseTime(sql.NullString{String: tt.text, Valid: true})
		if !got.Equal(tt.want) || got.Location() != time.UTC {
			t.Errorf("%q is %v, want %v", tt.text, got, tt.want)
		}
	}
	if got := parseTime(sql.NullString{}); !got.IsZero() {
		t.Errorf("NULL is %v", got)
	}
}
