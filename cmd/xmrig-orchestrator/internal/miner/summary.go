package miner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// A Summary is what the agent uses of /2/summary.
type Summary struct {
	Version string  `json:"version"`
	Uptime  int64   `json:"uptime"` // seconds, by the wall clock
	Algo    *string `json:"algo"`   // nil before the first job
	Paused  bool    `json:"paused"`
	Donate  int     `json:"donate_level"` // minutes in 100 for the developers

	Results struct {
		Good  int64 `json:"shares_good"`
		Total int64 `json:"shares_total"`
	} `json:"results"`

	Connection struct {
		Pool     string  `json:"pool"` // stays when the connection is lost
		IP       *string `json:"ip"`
		UptimeMS int64   `json:"uptime_ms"` // monotonic; 0 when not connected
		Diff     float64 `json:"diff"`      // of the current job; 0 without one
	} `json:"connection"`

	// Hashrate holds H/s over 10 s, 60 s and 15 min. Each is nil until XMRig
	// has enough history, and 0 when it does not hash for whatever reason.
	Hashrate struct {
		Total [3]*float64 `json:"total"`
	} `json:"hashrate"`

	HugePages Pages `json:"hugepages"`

	// JSON is the whole answer, without white space.
	JSON []byte `json:"-"`
}

// Parse reads the body of an answer to /2/summary. It is an error if a field is
// missing that the agent decides by, as it may be in another version of XMRig.
func Parse(body []byte) (*Summary, error) {
	s, none := new(Summary), math.NaN()
	s.Results.Total, s.Connection.UptimeMS, s.Hashrate.Total[0] = -1, -1, &none
	if err := json.Unmarshal(body, s); err != nil {
		return nil, answerError{fmt.Errorf("parse summary: %w", err)}
	}
	if missing := s.missing(); missing != "" {
		return nil, answerError{fmt.Errorf("parse summary: no %s in it", missing)}
	}
	var b bytes.Buffer
	if err := json.Compact(&b, body); err != nil {
		return nil, answerError{fmt.Errorf("parse summary: %w", err)}
	}
	s.JSON = b.Bytes()
	return s, nil
}

// missing names a field that was not in the answer, of those whose absence would
// look like a fault of the miner. Parse has set each to a value that no answer
// can have.
func (s *Summary) missing() string {
	rate := s.Hashrate.Total[0]
	switch {
	case s.Version == "":
		return "version"
	case s.Results.Total < 0:
		return "results.shares_total"
	case s.Connection.UptimeMS < 0:
		return "connection.uptime_ms"
	case rate != nil && math.IsNaN(*rate):
		return "hashrate.total"
	}
	return ""
}

// Pages are the huge pages that the miner has, and how many it wants.
type Pages [2]int64

// Connected tells whether the miner is logged in to its pool.
func (s *Summary) Connected() bool {
	return s.Connection.IP != nil && s.Connection.UptimeMS > 0
}

// Job tells whether the miner has a job. A pool may accept the login and send
// none.
func (s *Summary) Job() bool { return s.Algo != nil && s.Connection.Diff > 0 }

// Rate is the hashrate over 10 s, 0 if it is not known.
func (s *Summary) Rate() float64 {
	if rate := s.Hashrate.Total[0]; rate != nil {
		return *rate
	}
	return 0
}

// Hashing tells whether the miner hashed within the last minute.
func (s *Summary) Hashing() bool {
	for _, rate := range s.Hashrate.Total[:2] {
		if rate != nil && *rate > 0 {
			return true
		}
	}
	return false
}

// Rejected is the number of shares that the pool refused.
func (s *Summary) Rejected() int64 { return s.Results.Total - s.Results.Good }
