package health

import (
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
)

// Baselines are the usual hashrates of a host, one for each revision of binary
// and configuration and each number of huge pages that it was seen with. The one
// in use is the last; the one that was unused for longest is overwritten.
type Baselines [4]Baseline

// A Baseline is a usual hashrate and what it depends on.
type Baseline struct {
	Revision, Version, Algo string
	Pages                   miner.Pages

	Rate float64 // H/s over 15 min; 0: unused
}

const (
	// settlingTime is how long a miner must have hashed before its hashrate
	// over 15 min says anything.
	settlingTime = 20 * time.Minute
	// A baseline follows a higher hashrate within hours, and a lower one
	// within weeks: the host may be failing slowly.
	riseTime = 1 * time.Hour
	fallTime = 14 * 24 * time.Hour
)

// A comparison is what a hashrate is beside the baseline.
type comparison struct {
	degraded          bool
	problem, evidence string
}

// learn compares the hashrate with the baseline, and moves the baseline towards
// it unless it is degraded. Hashing is how long the miner has hashed.
func (b *Baselines) learn(o Observation, p Policy, hashing time.Duration) comparison {
	quarter := o.Summary.Hashrate.Total[2]
	if quarter == nil || *quarter <= 0 || hashing < settlingTime {
		return comparison{}
	}
	rate := *quarter
	own := b.use(o)
	if own.Rate == 0 {
		own.Rate = rate
	}
	best := *own
	for _, other := range b {
		if other.sameWork(*own) && other.Rate > best.Rate {
			best = other
		}
	}
	low := p.DegradedRatio
	switch step := float64(p.Interval); {
	case rate > own.Rate:
		own.Rate += (rate - own.Rate) * step / float64(riseTime)
	case rate >= low*own.Rate:
		own.Rate += (rate - own.Rate) * step / float64(fallTime)
	}
	if rate >= low*best.Rate {
		return comparison{}
	}
	return comparison{
		degraded: true,
		problem:  "hashrate below this host's own",
		evidence: fmt.Sprintf("%.1f H/s over 15 min, %.0f %% of the usual %.1f%s",
			rate, 100*rate/best.Rate, best.Rate, difference(o, best)),
	}
}

// use returns the baseline for an observation, new or not, and makes it the last
// one.
func (b *Baselines) use(o Observation) *Baseline {
	want := Baseline{Revision: o.Revision, Version: o.Summary.Version, Pages: o.Summary.HugePages}
	if o.Summary.Algo != nil {
		want.Algo = *o.Summary.Algo
	}
	last := &b[len(b)-1]
	if last.sameWork(want) && last.Pages == want.Pages {
		return last
	}
	at := 0
	for i, one := range b {
		if one.sameWork(want) && one.Pages == want.Pages {
			at, want = i, one
		}
	}
	copy(b[at:], b[at+1:])
	*last = want
	return last
}

// sameWork tells whether two hashrates should be the same, but for the state of
// the machine.
func (b Baseline) sameWork(other Baseline) bool {
	return b.Revision == other.Revision && b.Version == other.Version && b.Algo == other.Algo
}

// difference says what may be the reason: what else is not as it was.
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
