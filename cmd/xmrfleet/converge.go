package main

import (
	"context"
	"fmt"
	"slices"

	"xmrfleet/cmd/xmrfleet/supply"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/plan"
)

// planFlags are what plan and apply have in common: which hosts, and which
// part of them.
type planFlags struct {
	hostFlags
	Target         *modules.Part `help:"Only this part of each host: xmrig or agent." enum:"xmrig,agent" placeholder:"PART"`
	AllowDowngrade bool          `help:"Let the agent of this xmrfleet take the place of a newer one." name:"allow-downgrade"`

	saved *plan.Saved // what may be done, if a plan file says so
	fleet *hcl.Fleet  // as it was read by prepare
}

// A session is one host of a run: its description, its plan or why it has
// none, and the shell, if it is still open.
type session struct {
	host  hcl.Host
	shell *executor.Shell
	plan  *plan.Plan
	err   error

	result result // of an apply
}

func namesIn(sessions []*session) []string {
	names := make([]string, len(sessions))
	for i, s := range sessions {
		names[i] = s.host.Name
	}
	return names
}

func (s *session) close() {
	if s.shell != nil {
		s.shell.Close()
		s.shell = nil
	}
}

func (s *session) view() view.HostPlan {
	return view.HostPlan{Host: s.host.Name, Plan: s.plan, Err: s.err}
}

// prepare loads the fleet, chooses hosts and completes their descriptions: all
// that can fail before any network.
func (c *planFlags) prepare(ctx context.Context, p *Program, choose func(*hcl.Fleet) ([]hcl.Host, error)) ([]*session, error) {
	fleet, err := p.load(c.fleetFlags)
	if err != nil {
		return nil, err
	}
	c.fleet = fleet
	if c.saved != nil {
		if err := c.saved.Unlock(p.inputs); err != nil {
			return nil, err
		}
	}
	all := *fleet
	all.Hosts = slices.Concat(fleet.Hosts, fleet.Removed)
	hosts, err := choose(&all)
	if err != nil {
		return nil, err
	}
	if c.Target == nil || *c.Target != modules.AgentPart {
		ctx, cancel := p.unlessStopped(ctx)
		defer cancel()
		if err := supply.OpenReleases(ctx, fleet, hosts, p.err); err != nil {
			return nil, err
		}
	}
	builds := supply.Agents()
	sessions := make([]*session, len(hosts))
	for i, h := range hosts {
		h.Miner.Agent.Binaries, h.Miner.Agent.AllowOlder = builds, c.AllowDowngrade
		sessions[i] = &session{host: h}
		for _, r := range c.resources(h) {
			if err := r.Validate(); err != nil {
				return nil, fmt.Errorf("%s: %s: %s: %w", h.Pos, h.Name, r.ID(), err)
			}
		}
	}
	return sessions, nil
}

// part is what is planned of each host; empty: all of it.
func (c *planFlags) part() modules.Part {
	if c.Target == nil {
		return ""
	}
	return *c.Target
}

func (c *planFlags) resources(h hcl.Host) []modules.Resource {
	if part := c.part(); part != "" {
		return h.Miner.Resources(part)
	}
	return h.Miner.Resources()
}

// gather reads hosts, all at once, plans each and calls done after it. With a
// holder their locks are taken and held.
func (c *planFlags) gather(ctx context.Context, p *Program, d *executor.Dialer, sessions []*session, holder *executor.Holder, done func(*session)) {
	b := startHeartbeat(p.report, namesIn(sessions))
	defer b.end()
	outcomes := executor.Each(ctx, sessions, 0, func(ctx context.Context, s *session) (struct{}, error) {
		ctx, cancel := c.withinTimeout(ctx)
		defer cancel()
		b.reads(s.host.Name)
		defer b.rests(s.host.Name)
		s.read(ctx, d, c.resources(s.host), c.part(), holder)
		if holder == nil || s.err != nil {
			s.close()
		}
		done(s)
		return struct{}{}, nil
	})
	for i, o := range outcomes {
		if s := sessions[i]; s.err == nil && s.plan == nil {
			s.err = o.Err // not started, or a panic
		}
	}
}

// gathered looks at what was read as a whole. The shells of hosts without
// anything to do are closed.
func gathered(sessions []*session, run string) {
	refuseTwice(sessions, run)
	for _, s := range sessions {
		if s.err == nil && s.plan == nil { // let go of by a claim
			s.err = fmt.Errorf("not read: %w", plan.ErrInterrupted)
		}
		if s.err != nil || s.plan.Empty() {
			s.close()
		}
	}
}

// read reads the host and plans it. For an apply, which has a holder, a host with
// nothing to do has to show that its agent can work.
func (s *session) read(ctx context.Context, d *executor.Dialer, resources []modules.Resource, part modules.Part, holder *executor.Holder) {
	probes := plan.Probes(resources)
	open := executor.OpenOptions{First: probes}
	if holder != nil {
		lock := *holder
		lock.Host = s.host.Name
		open.Lock = &lock
		open.First = append(probes, modules.ProofProbes()...)
	}
	var answers []modules.Result
	if s.shell, answers, s.err = d.Open(ctx, target(s.host), open); s.err != nil {
		return
	}
	s.plan, s.err = plan.Make(resources, answers[:len(probes)])
	if holder != nil && s.err == nil && s.plan.Empty() {
		s.err = agentFault(s.host, part, answers[len(probes):])
	}
}

func views(sessions []*session) []view.HostPlan {
	hosts := make([]view.HostPlan, len(sessions))
	for i, s := range sessions {
		hosts[i] = s.view()
	}
	return hosts
}
