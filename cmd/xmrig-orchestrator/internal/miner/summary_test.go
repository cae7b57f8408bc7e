package miner

import (
	"encoding/json"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/recorded"
)

func TestParse(t *testing.T) {
	tests := []struct {
		file               string
		algo, pool         string
		connected, hashing bool
		paused             bool
		rates              string
	}{
		{"never-connected", "", "", false, false, false, "[0,0,0]"},
		{"logged-in-no-job", "", "127.0.0.1:33333", true, false, false, "[0,0,0]"},
		{"job-paused", "rx/0", "127.0.0.1:33333", true, false, true, "[null,null,null]"},
		{"pool-lost", "rx/0", "127.0.0.1:33333", false, false, true, "[null,null,null]"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			raw := recorded.Body(tt.file + ".summary")
			s, err := Parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			var algo string
			if s.Algo != nil {
				algo = *s.Algo
			}
			rates, _ := json.Marshal(s.Hashrate.Total)
			if algo != tt.algo || s.Connection.Pool != tt.pool || s.Connected() != tt.connected ||
				s.Hashing() != tt.hashing || s.Paused != tt.paused || string(rates) != tt.rates || s.Version != "6.26.0" {
				t.Errorf("read as algo %q, pool %q, connected %v, hashing %v, paused %v, rates %s, version %s",
					algo, s.Connection.Pool, s.Connected(), s.Hashing(), s.Paused, rates, s.Version)
			}
			if strings.Contains(string(s.JSON), "\n") || len(s.JSON) >= len(raw) {
				t.Errorf("JSON is not compact: %s", s.JSON)
			}
			if again, err := Parse(s.JSON); err != nil || string(again.JSON) != string(s.JSON) {
				t.Errorf("compact JSON reads as %v, %v", again, err)
			}
		})
	}
}

func TestHashing(t *testing.T) {
	tests := []struct {
		rates string
		want  bool
	}{
		{"[null,null,null]", false},
		{"[0.0,0.0,0.0]", false},
		{"[4012.5,null,null]", true},
		{"[0.0,3120.1,4000.0]", true},
		{"[0.0,0.0,4000.0]", false},
	}
	for _, tt := range tests {
		s, err := Parse([]byte(`{"version":"6.26.0","results":{"shares_total":0},"connection":{"uptime_ms":0},"hashrate":{"total":` + tt.rates + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if s.Hashing() != tt.want {
			t.Errorf("%s: hashing is %v", tt.rates, s.Hashing())
		}
	}
}

func TestRejected(t *testing.T) {
	s, err := Parse([]byte(`{"version":"6.26.0","results":{"shares_good":97,"shares_total":100},"connection":{"uptime_ms":0},"hashrate":{"total":[null,null,null]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Rejected() != 3 {
		t.Errorf("rejected is %d, want 3", s.Rejected())
	}
}
