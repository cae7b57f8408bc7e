package miner

import (
	"context"
	"encoding/json"
	"fmt"
)

// Backends is what the agent reads of the CPU backend in /2/backends.
type Backends struct {
	MSR       bool // XMRig has written the MSR registers; not before its first job
	HugePages Pages
	Threads   []*float64 // H/s of each over 10 s; empty before the first job
}

// Backends asks for /2/backends, with the timeout and the errors of Summary.
func (c Client) Backends(ctx context.Context) (*Backends, error) {
	body, err := c.get(ctx, "/2/backends")
	if err != nil {
		return nil, fmt.Errorf("miner api %s: %w", c.Address, err)
	}
	b, err := parseBackends(body)
	if err != nil {
		return nil, fmt.Errorf("miner api %s: %w", c.Address, err)
	}
	return b, nil
}

func parseBackends(body []byte) (*Backends, error) {
	var all []struct {
		Type      string `json:"type"`
		MSR       bool   `json:"msr"`
		HugePages Pages  `json:"hugepages"`
		Threads   []struct {
			Hashrate [3]*float64 `json:"hashrate"`
		} `json:"threads"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, answerError{fmt.Errorf("parse backends: %w", err)}
	}
	for _, one := range all {
		if one.Type != "cpu" {
			continue
		}
		b := &Backends{MSR: one.MSR, HugePages: one.HugePages}
		for _, t := range one.Threads {
			b.Threads = append(b.Threads, t.Hashrate[0])
		}
		return b, nil
	}
	return nil, answerError{fmt.Errorf("parse backends: no cpu backend in it")}
}

// Standing returns how many threads do not hash while others do.
func (b *Backends) Standing() int {
	n := 0
	for _, rate := range b.Threads {
		if rate != nil && *rate == 0 {
			n++
		}
	}
	if n == len(b.Threads) {
		return 0
	}
	return n
}
