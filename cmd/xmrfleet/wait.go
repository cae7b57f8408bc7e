package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// A waitTime is how long to wait for miners to hash, a flag that may stand
// without its value. Zero is not to wait.
type waitTime time.Duration

const (
	defaultWait = 5 * time.Minute
	askAgain    = time.Second // between two questions to a host that is waited for
)

// IsBool lets the parser accept the flag alone.
func (*waitTime) IsBool() bool { return true }

// Decode takes the value that stands behind "=".
func (w *waitTime) Decode(ctx *kong.DecodeContext) error {
	d, err := decodeDuration(ctx, defaultWait)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is not positive", d)
	}
	*w = waitTime(d)
	return err
}

// decodeDuration is the value of a flag that may stand without one.
func decodeDuration(ctx *kong.DecodeContext, otherwise time.Duration) (time.Duration, error) {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return otherwise, nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("expected a duration as 30s but got %q", text)
	}
	return d, nil
}

// until asks a host, over a connection without its lock, until it proves every
// step of its description and its agent has seen that too. The error says why it
// does not: its agent's verdict, or what is lacking when the time is over. A host
// that cannot be asked for a moment is asked again. The last answer comes with an
// error as well, where there was one.
func (w waitTime) until(ctx context.Context, p *Program, d *executor.Dialer, h hcl.Host, part modules.Part) (proof modules.Proof, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(w), fmt.Errorf("not within %s", view.Duration(time.Duration(w))))
	defer cancel()
	ctx, stop := p.unlessStopped(ctx)
	defer stop()
	asked := watchedHost{host: h, dialer: d}
	defer asked.close()
	description, began := h.Miner.Description(), time.Now()
	for {
		var lacks error
		if now, err := asked.prove(ctx); err != nil {
			lacks = err
		} else if proof = now; proof.Failed(description, time.Since(began)) != "" {
			return proof, hint.With(errors.New(proof.Failed(description, time.Since(began))), "xmrfleet status --why "+h.Name)
		} else if lacks = lacking(proof, description, part); lacks == nil {
			return proof, nil
		}
		select {
		case <-ctx.Done():
			return proof, hint.With(fmt.Errorf("%w: %w", lacks, context.Cause(ctx)), "xmrfleet status --why "+h.Name)
		case <-time.After(askAgain):
		}
	}
}

// errUnseen is lacking where the miner does what it should and its agent did not
// look since.
var errUnseen = errors.New("its agent has not seen that yet")

// lacking is what a host does not show yet of its description, or nil.
func lacking(proof modules.Proof, d modules.Description, part modules.Part) error {
	if _, open := proof.Proven(d, part); len(open) > 0 {
		return errors.New(proof.Lacks(open[0], d))
	}
	if part == "" && !proof.As(d.State) {
		return errUnseen
	}
	return nil
}

// await waits, with --wait, for the miners of all hosts that are as they should
// be: also of those that had nothing to do, since nothing else looks at them.
func (c *applyCmd) await(ctx context.Context, p *Program, d *executor.Dialer, sessions []*session) {
	var waiting []*session
	for _, s := range sessions {
		if s.err == nil && s.result.Err() == nil && s.host.Miner.XMRig.State != modules.StateAbsent {
			waiting = append(waiting, s)
		}
	}
	if c.Wait == 0 || len(waiting) == 0 {
		return
	}
	b := startHeartbeat(p.report, namesIn(waiting))
	defer b.end()
	executor.Each(ctx, waiting, 0, func(ctx context.Context, s *session) (struct{}, error) {
		b.begin(s.host.Name, task{phase: view.Proving})
		defer b.rests(s.host.Name)
		proof, err := c.Wait.until(ctx, p, d, s.host, c.part())
		if s.plan.Empty() && err != nil {
			s.err = fmt.Errorf("wait: %w", err)
		} else if !s.plan.Empty() {
			s.result.settle(proof, err)
		}
		return struct{}{}, nil
	})
}

// A result is what became of a host in an apply, and what it is judged by.
type result struct {
	view.HostResult
	description modules.Description
	part        modules.Part
}

// prove takes over what the host showed right after its changes: that process,
// API and agent are as described is a part of the apply, the rest takes its
// time.
func (r *result) prove(h hcl.Host, part modules.Part) {
	if !r.Converged() {
		return
	}
	r.description, r.part = h.Miner.Description(), part
	proof, err := modules.ParseProof(r.Answers)
	if err == nil {
		r.take(proof)
		err = r.fault(proof)
	}
	if err != nil {
		r.Outcome.Err = hint.With(fmt.Errorf("verify: %w", err), "xmrfleet status --why "+h.Name)
	}
}

// agentFault is why a host with nothing to do is not as it should be: its agent
// cannot do its work.
func agentFault(h hcl.Host, part modules.Part, answers []modules.Result) error {
	proof, err := modules.ParseProof(answers)
	if err != nil {
		return err
	}
	d := h.Miner.Description()
	if _, open := proof.Proven(d, part); slices.Contains(open, modules.AgentStep) {
		return hint.With(errors.New(proof.Lacks(modules.AgentStep, d)), "xmrfleet status --why "+h.Name)
	}
	return nil
}

// fault is what an apply has to have reached and did not.
func (r *result) fault(proof modules.Proof) error {
	for _, s := range r.Open {
		nobodyAsks := s == modules.APIStep && r.part == modules.XMRigPart && proof.Check == nil
		if s != modules.PoolStep && s != modules.HashStep && !nobodyAsks {
			return errors.New(proof.Lacks(s, r.description))
		}
	}
	return nil
}

func (r *result) take(proof modules.Proof) {
	r.Proven, r.Open = proof.Proven(r.description, r.part)
	r.Lacks = ""
	if len(r.Open) > 0 {
		r.Lacks = proof.Lacks(r.Open[0], r.description)
	}
}

// settle takes over what the host showed when the waiting was over.
func (r *result) settle(proof modules.Proof, err error) {
	if proof.Active != "" {
		r.take(proof)
	}
	if err != nil {
		r.Outcome.Err = fmt.Errorf("wait: %w", err)
	}
}
