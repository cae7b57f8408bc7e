package modules

import (
	"encoding/json"
	"strings"
	"time"

	"xmrfleet/modules/agent"
)

// A Proof is what a host shows, at one moment, of how far its miner is: from the
// process to the hash.
type Proof struct {
	Status
	Check *agent.Check // what the miner's API answers; nil: there is no agent to ask it
}

const checkProbe = `
agent=$1
` + isAgent + ` || exit 0
timeout 5 "$agent" check 2>/dev/null
:`

// ProofProbes read a Proof. ParseProof understands their results.
func ProofProbes() []Command {
	return []Command{StatusProbe(), {Script: checkProbe, Args: []string{agent.Binary}}}
}

// ParseProof reads the results of ProofProbes. The errors are those of
// ParseStatus.
func ParseProof(results []Result) (Proof, error) {
	status, err := ParseStatus(results[0].Stdout)
	p := Proof{Status: status}
	var check agent.Check
	if json.Unmarshal([]byte(results[1].Stdout), &check) == nil {
		p.Check = &check
	}
	return p, err
}

// A Step is one thing on the way of a miner to its hashes.
type Step string

const (
	ProcessStep Step = "process" // the described process runs
	APIStep     Step = "api"     // it answers
	AgentStep   Step = "agent"   // the agent can do all its work, and checked it
	PoolStep    Step = "pool"    // it is connected to a described pool
	HashStep    Step = "hashing" // it hashes
)

// Steps are all of them, in their order.
var Steps = []Step{ProcessStep, APIStep, AgentStep, PoolStep, HashStep}

// Shows reports whether the host proves a step.
func (p Proof) Shows(s Step, d Description) bool {
	switch s {
	case ProcessStep:
		return p.Active == "active" && p.Miner.recorded()
	case APIStep:
		return p.Check != nil && p.Check.OK
	case AgentStep:
		return p.agentFault() == ""
	case PoolStep:
		return p.Shows(APIStep, d) && p.Check.PoolConnected && d.names(p.Check.Pool)
	case HashStep:
		rate := func(r *float64) bool { return r != nil && *r > 0 }
		return p.Shows(PoolStep, d) && rate(p.Check.Hashrate[0])
	}
	return false
}

// Lacks says what is wrong where the host does not prove a step, as the end of a
// sentence about it.
func (p Proof) Lacks(s Step, d Description) string {
	switch s {
	case ProcessStep:
		return "its miner is not running as described"
	case APIStep:
		if p.Check != nil && p.Check.Error != "" {
			return "its API does not answer: " + p.Check.Error
		}
		return "nobody could ask its API"
	case AgentStep:
		return p.agentFault()
	case PoolStep:
		if p.Shows(APIStep, d) && p.Check.PoolConnected {
			return "it is connected to " + p.Check.Pool + ", which fleet.hcl does not name"
		}
		return "it is not connected to its pool yet"
	}
	return "it does not hash yet"
}

// agentFault is why the agent is not known to do all its work, or "".
func (p Proof) agentFault() string {
	switch {
	case p.Agent == nil:
		return "there is no health agent"
	case !p.AgentActive:
		return "its health agent is down"
	case p.Daemon() == nil:
		return "its health agent does not say yet that it can work"
	case len(p.Faults()) > 0:
		return "its health agent cannot do all its work: " + strings.Join(p.Faults(), "; ")
	}
	return ""
}

// Proven divides the steps that a description asks for into those that the host
// proves and those that it does not. A miner that is to be stopped only needs
// its agent.
func (p Proof) Proven(d Description, part Part) (proven, open []Step) {
	for _, s := range Steps {
		switch {
		case d.State == StateAbsent,
			s == AgentStep && part == XMRigPart,
			s != AgentStep && (part == AgentPart || d.State != StateRunning):
		case p.Shows(s, d):
			proven = append(proven, s)
		default:
			open = append(open, s)
		}
	}
	return proven, open
}

// verdictHolds is how long an agent has to be of the same mind before waiting is
// in vain: a miner that found its pool late does not hash at once.
const verdictHolds = 30 * time.Second

// Failed says why waiting for the miner is in vain, after it was waited for so
// long: its agent has judged the process that runs, for some time, and nothing
// changed since. It is "" as long as there is hope.
func (p Proof) Failed(d Description, waited time.Duration) string {
	if d.State != StateRunning || waited < verdictHolds {
		return ""
	}
	if p.Active == "failed" {
		return "it crashed: " + p.Result
	}
	if !p.Current() || p.Unseen() || p.Agent.Since == nil || p.Now.Sub(*p.Agent.Since) < verdictHolds {
		return ""
	}
	switch p.Agent.State {
	case agent.Unhealthy, agent.Crashed:
		why := p.Agent.State
		if p.Agent.Cause != "" && p.Agent.Cause != why {
			why += ", " + p.Agent.Cause
		}
		if p.Agent.LastError != "" {
			why += ": " + p.Agent.LastError
		}
		return why
	}
	return ""
}
