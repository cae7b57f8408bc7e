package health

import (
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
)

// Shares counts the shares that are expected since the last one. A miner finds
// them as a Poisson process: the chance that none appears where k are expected is
// e^-k. So a number of shares is a better limit than a time. The count begins
// again when a share is accepted or rejected, and when the miner reconnects,
// which does all that a restart would do.
type Shares struct {
	Total    int64
	UptimeMS int64
	Diff     float64
	Expected float64
	Peak     float64       // the most that was expected in a second
	For      time.Duration // that Expected was counted over
}

// count adds the shares expected since the last poll, from hashrate and
// difficulty. A pool may change the difficulty with each job; the higher one of
// the two polls is taken for the time between.
func (c *Shares) count(s *miner.Summary, step time.Duration) {
	if s.Results.Total != c.Total || s.Connection.UptimeMS < c.UptimeMS || c.UptimeMS == 0 {
		*c = Shares{Total: s.Results.Total}
	} else if s.Job() {
		rate := s.Rate() / max(c.Diff, s.Connection.Diff)
		c.Expected += rate * step.Seconds()
		c.Peak = max(c.Peak, rate)
		c.For += step
	}
	c.UptimeMS, c.Diff = s.Connection.UptimeMS, s.Connection.Diff
}

// expected is the number of shares that should have come, less those that may have
// gone to XMRig's developers: level minutes in each 100 (XMRig source donate.h).
// It supposes that these were the minutes in which the most was expected.
func (c *Shares) expected(level int) float64 {
	const cycle = 100 * time.Minute
	donated := time.Duration(level) * time.Minute * (1 + c.For/cycle)
	return max(0, c.Expected-c.Peak*donated.Seconds())
}

// evidence says how many shares did not come.
func (c *Shares) evidence(s *miner.Summary, expected float64) string {
	return fmt.Sprintf("no share for %s, %.1f expected at %.1f H/s and difficulty %.0f",
		short(c.For), expected, s.Rate(), s.Connection.Diff)
}

// Rejects tells whether the pool rejects too many of the last shares. It looks at
// a window of them, which moves on by half its length at a time.
type Rejects struct {
	Marks [2]Count // half a window apart, the older first
	Count Count    // in the last full window
	Many  bool     // of them are bad
}

// A Count is a number of shares, and how many of them the pool rejected.
type Count struct{ Total, Bad int64 }

// count takes over a poll's shares.
func (r *Rejects) count(s *miner.Summary, p Policy) {
	now := Count{s.Results.Total, s.Rejected()}
	if now.Total < r.Marks[1].Total { // another session counts
		*r = Rejects{Marks: [2]Count{now, now}}
	}
	if now.Total-r.Marks[1].Total < int64(p.RejectWindow+1)/2 {
		return
	}
	if seen := (Count{now.Total - r.Marks[0].Total, now.Bad - r.Marks[0].Bad}); seen.Total >= int64(p.RejectWindow) {
		r.Count = seen
		r.Many = float64(seen.Bad) > p.RejectRatio*float64(seen.Total)
	}
	r.Marks = [2]Count{r.Marks[1], now}
}

func (r *Rejects) evidence() string {
	return fmt.Sprintf("%d of the last %d shares rejected", r.Count.Bad, r.Count.Total)
}
