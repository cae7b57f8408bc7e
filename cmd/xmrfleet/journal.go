package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// An entry is one of a journal.
type entry struct {
	host string
	time time.Time
	from string // SYSLOG_IDENTIFIER
	text string

	cursor string // where it stands in the journal
	end    bool   // it is none: what was there is told
}

// parseEntry reads a line of "journalctl -o json".
func parseEntry(host string, line []byte) (entry, error) {
	var fields struct {
		Time    string          `json:"__REALTIME_TIMESTAMP"`
		From    json.RawMessage `json:"SYSLOG_IDENTIFIER"`
		Message json.RawMessage `json:"MESSAGE"`
		Cursor  string          `json:"__CURSOR"`
		Told    *string         `json:"TOLD"` // a cursor, of followScript
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		return entry{}, fmt.Errorf("read journal: %w", err)
	}
	if fields.Told != nil {
		return entry{host: host, cursor: *fields.Told, end: true}, nil
	}
	micros, err := strconv.ParseInt(fields.Time, 10, 64)
	if err != nil {
		return entry{}, fmt.Errorf("read journal: an entry has no time: %q", line)
	}
	return entry{host: host, time: time.UnixMicro(micros), from: fieldText(fields.From), text: fieldText(fields.Message), cursor: fields.Cursor}, nil
}

// fieldText is the text of a field, which is a string or, where it is not
// printable, an array of its bytes: systemd.journal-fields(7),
// journalctl --output=json. A field that stands there twice is an array too;
// the first one counts.
func fieldText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var numbers []byte8
	if json.Unmarshal(raw, &numbers) == nil {
		b := make([]byte, len(numbers))
		for i, n := range numbers {
			b[i] = byte(n)
		}
		return string(b)
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil && len(several) > 0 {
		return fieldText(several[0])
	}
	return ""
}

// A byte8 is a byte that JSON writes as a number.
type byte8 uint8
