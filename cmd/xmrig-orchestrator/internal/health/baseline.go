package health

import (
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
)

// Baselines are the usual hashrates of a host with its latest revisions of
// binary and configuration, each in the page states that it was seen in. The
// last one is the one in use.
type Baselines [4]Baseline

// A Baseline is a usual hashrate.
type Baseline struct {
	Revision, Version, Algo string
	Pages                   miner.Pages

	Rate float64 // H/s over 15 min; 0: unused
}

const (
	// settled is the hashing time after which a rate over 15 min holds
	// nothing else than hashing.
	settled = 20 * time.Minute
	// A baseline follows a better rate within hours, and a worse one, which
	// may be a host that slowly clogs up, within weeks.
	faster = 1 * time.Hour
	slower = 14 * 24 * time.Hour
)

// usual is a rate beside the baseline.
type usual struct {
	degraded          bool
	problem, evidence string
}

// learn compares a host's hashrate with what it used to have, and learns what
// is not degraded.
func (b *Baselines) learn(o Observation, p Policy, hashing time.Duration) usual {
	quarter := o.Summary.Hashrate.Total[2]
	if quarter == nil || *quarter <= 0 || hashing < settled {
		return usual{}
	}
	rate := *quarter
	own := b.find(o)
	if own.Rate == 0 {
		own.Rate = rate
	}
	best := *own
	for _, other := range b {
		if other.alike(*own) && other.Rate > best.Rate {
			best = other
		}
	}
	low := p.DegradedRatio
	switch step := float64(p.Interval); {
	case rate > own.Rate:
		own.Rate += (rate - own.Rate) * step / float64(faster)
	case rate >= low*own.Rate:
		own.Rate += (rate - own.Rate) * step / float64(slower)
	}
	if rate >= low*best.Rate {
		return usual{}
	}
	return usual{
		degraded: true,
		problem:  "hashrate below this host's own",
		evidence: fmt.Sprintf("%.1f H/s over 15 min, %.0f %% of the usual %.1f%s",
			rate, 100*rate/best.Rate, best.Rate, difference(o, best)),
	}
}

// find returns the baseline of an observation, and makes it the last one.
func (b *Baselines) find(o Observation) *Baseline {
	want := Baseline{Revision: o.Revision, Version: o.Summary.Version, Pages: o.Summary.HugePages}
	if o.Summary.Algo != nil {
		want.Algo = *o.Summary.Algo
	}
	last := &b[len(b)-1]
	if last.alike(want) && last.Pages == want.Pages {
		return last
	}
	at := 0
	for i, one := range b {
		if one.alike(want) && one.Pages == want.Pages {
			at, want = i, one
		}
	}
	copy(b[at:], b[at+1:])
	*last = want
	return last
}

// alike tells whether two hashrates differ by the state of the machine only.
func (b Baseline) alike(other Baseline) bool {
	return b.Revision == other.Revision && b.Version == other.Version && b.Algo == other.Algo
}

// difference says what else is not as it was.
func difference(o Observation, best Baseline) string {
	var text string
	if now := o.Summary.HugePages; now != best.Pages {
		text = fmt.Sprintf("; huge pages %d of %d, before %d of %d", now[0], now[1], best.Pages[0], best.Pages[1])
	}
	if o.Backends != nil && !o.Backends.MSR {
		text += "; MSR registers not written by the miner"
	}
	return text
}
