package main

import (
	"context"
	"errors"
	"fmt"
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
// step of its description. The error says why it does not: its agent's verdict,
// or what is lacking when the time is over. The last answer comes with an error
// as well, where there was one.
func (w waitTime) until(ctx context.Context, p *Program, d *executor.Dialer, h hcl.Host, part modules.Part) (proof modules.Proof, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(w), fmt.Errorf("not within %s", view.Duration(time.Duration(w))))
	defer cancel()
	ctx, stop := p.unlessStopped(ctx)
	defer stop()
	description := h.Miner.Description()
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: modules.ProofProbes()})
	if err != nil {
		return proof, err
	}
	defer shell.Close()
	for {
		if proof, err = modules.ParseProof(answers); err != nil {
			return proof, err
		}
		_, open := proof.Proven(description, part)
		if len(open) == 0 {
			return proof, nil
		}
		if failed := proof.Failed(); failed != "" {
			return proof, hint.With(errors.New(failed), "xmrfleet status --why "+h.Name)
		}
		lacks := errors.New(proof.Lacks(open[0], description))
		select {
		case <-ctx.Done():
			return proof, hint.With(fmt.Errorf("%w: %w", lacks, context.Cause(ctx)), "xmrfleet status --why "+h.Name)
		case <-time.After(askAgain):
		}
		if answers, err = shell.Run(ctx, nil, modules.ProofProbes()...); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w: %w", lacks, context.Cause(ctx))
			}
			return proof, err
		}
	}
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
