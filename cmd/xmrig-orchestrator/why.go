package main

import (
	"context"
	"errors"

	"xmrfleet/modules/agent"
)

// maxWhy is how many decisions why prints.
const maxWhy = 10

// why prints the last decisions with their evidence.
func (m *Main) why(ctx context.Context, s agent.Settings) error {
	decisions, err := m.decisions(ctx, s.Hostname, maxWhy)
	if err != nil {
		return err
	}
	if len(decisions) == 0 {
		return errors.New("no decision is recorded yet")
	}
	return printEvents(m.Stdout, merge(nil, decisions))
}
