//go:build linux

package main

// A track is how many hashes were done by when, as corners of a line. Its
// first point is the start of what it counts.
type track []point

type point struct{ time, hashes float64 } // seconds

// The windows of a hashrate in seconds (XMRig source Hashrate.h:42-44).
var windows = [3]float64{10, 60, 900}

// add appends hashes that were done at an even pace since the last point.
func (t track) add(now, hashes float64) track {
	const even = 1e-6
	last := t[len(t)-1]
	next := point{now, last.hashes + hashes}
	if n := len(t); n > 1 {
		before := t[n-2]
		pace := (last.hashes - before.hashes) / (last.time - before.time)
		if d := pace*(next.time-last.time) - hashes; d < even && d > -even {
			t[n-1] = next
			return t
		}
	}
	return append(t, next)
}

// rates are the hashrates over the three windows in H/s, cut as XMRig prints
// them, or nil while the track is shorter than the window.
func (t track) rates(now float64) []any {
	out := make([]any, len(windows))
	for i, w := range windows {
		if len(t) > 0 && now-t[0].time >= w {
			out[i] = decimal(t.rate(now, w))
		}
	}
	return out
}

// rate is the mean over the last w seconds.
func (t track) rate(now, w float64) float64 {
	return max(0, t.at(now)-t.at(now-w)) / w
}

func (t track) at(time float64) float64 {
	for i := len(t) - 1; i >= 0; i-- {
		if t[i].time > time {
			continue
		}
		if i == len(t)-1 {
			return t[i].hashes
		}
		a, b := t[i], t[i+1]
		return a.hashes + (b.hashes-a.hashes)*(time-a.time)/(b.time-a.time)
	}
	return 0
}
