package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

// askAgent ends a script unless the file $agent is a build of ours.
const askAgent = isAgent + ` || { echo 'there is no health agent on the host' >&2; exit 69; }
`

// Exit statuses of a script that asks the agent, which are not about what it
// was asked.
const (
	statusNoAgent  = 69 // there is none, or it is down: askAgent, enqueueScript
	statusOldAgent = 64 // it does not know the command
)

const historyProbe = `
agent=$1
` + askAgent + `
exec timeout 10 "$agent" history --json`

// HistoryProbe asks the agent what happened within the last 24 hours.
// ParseHistory understands its result. It exits with another status than 0
// where there is no agent, so it comes last in a frame.
func HistoryProbe() Command {
	return Command{Script: historyProbe, Args: []string{agent.Binary}}
}

// ParseHistory reads the result of HistoryProbe. The error says why the agent
// told nothing.
func ParseHistory(r Result) (agent.History, error) {
	var history agent.History
	switch {
	case r.Status == statusOldAgent:
		return history, hint.With(errors.New("the agent on the host is older than this xmrfleet"), applyAgent)
	case r.Status != 0:
		return history, fmt.Errorf("read history: %s", agentComplaint(r))
	}
	if err := json.Unmarshal([]byte(r.Stdout), &history); err != nil {
		return history, fmt.Errorf("read history: the agent's answer is not JSON: %w", err)
	}
	if history.Version > agent.HistoryVersion {
		return history, fmt.Errorf("read history: the agent is newer than this xmrfleet (history version %d, want %d)", history.Version, agent.HistoryVersion)
	}
	return history, nil
}

// applyAgent is the command that brings an agent up to date.
const applyAgent = "xmrfleet apply --target agent"

// agentComplaint is what the agent printed as an error, without its name.
func agentComplaint(r Result) string {
	return strings.TrimPrefix(strings.TrimSpace(r.Stderr), "xmrig-orchestrator: ")
}
