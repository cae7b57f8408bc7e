package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"xmrfleet/modules/agent"
)

// loadSettings reads a settings file, fills in defaults, and checks the result.
// Unknown fields are ignored, because xmrfleet may be newer than the agent.
func loadSettings(file string) (agent.Settings, error) {
	var s agent.Settings
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("read settings: %w; xmrfleet apply writes it", err)
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read settings %s: %w", file, err)
	}
	if s.Hostname == "" {
		if s.Hostname, err = os.Hostname(); err != nil {
			return s, fmt.Errorf("read settings %s: %w", file, err)
		}
	}
	s.WorkerID = cmp.Or(s.WorkerID, s.Hostname+"-production")
	s.Database = cmp.Or(os.Getenv("XMRIG_DB_PATH"), s.Database, agent.Database)
	s.Interval = cmp.Or(s.Interval, agent.Duration(10*time.Second))
	s.API.Address = cmp.Or(s.API.Address, "127.0.0.1:8080")
	s.RestartPolicy = cmp.Or(s.RestartPolicy, "evidence")
	s.Desired = cmp.Or(s.Desired, agent.Running)
	if err := validate(s); err != nil {
		return s, fmt.Errorf("read settings %s: %w", file, err)
	}
	return s, nil
}

func validate(s agent.Settings) error {
	var errs []error
	if s.Interval < 0 {
		errs = append(errs, fmt.Errorf("interval %v: not positive", time.Duration(s.Interval)))
	}
	if _, _, err := net.SplitHostPort(s.API.Address); err != nil {
		errs = append(errs, fmt.Errorf("api.address: %w", err))
	}
	if strings.ContainsFunc(s.API.Token, func(r rune) bool { return r < ' ' || r > '~' }) {
		errs = append(errs, errors.New("api.token: only printable ASCII is allowed"))
	}
	if s.RestartPolicy != "evidence" && s.RestartPolicy != "immediate" {
		errs = append(errs, fmt.Errorf("restart_policy %q: neither evidence nor immediate", s.RestartPolicy))
	}
	if s.Desired != agent.Running && s.Desired != agent.Stopped {
		errs = append(errs, fmt.Errorf("desired %q: neither running nor stopped", s.Desired))
	}
	return errors.Join(errs...)
}
