package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// simulate lets each watchdog live through the same histories and returns the
// table of how they did.
func simulate(hosts, days, luck int, seed uint64) string {
	scores := compete(entrants(), hosts, days, seed)
	var b strings.Builder
	fmt.Fprintf(&b, "%d host-days, seed %d\n\n", hosts*days, seed)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(title string, cell func(*score) string) {
		fmt.Fprintf(t, "%s\t", title)
		for _, s := range scores {
			fmt.Fprintf(t, "%s\t", cell(s))
		}
		fmt.Fprintln(t)
	}
	line("false restarts a host-year", func(s *score) string { return s.name })
	for r := range reasons {
		line(reasonNames[r], func(s *score) string { return perYear(s.vain[r], s.years) })
	}
	line("", func(*score) string { return "" })
	line("detection: median, max (not seen)", func(s *score) string { return s.name })
	for f := range faults {
		line(flawNames[f], func(s *score) string { return s.detection(f) })
	}
	t.Flush()
	restarts, alerts := unlucky(hosts, float64(luck), seed)
	fmt.Fprintf(&b, "\nbad luck in %d years of shares: %s restarts and %s alerts a host-year\n", luck,
		perYear(restarts, float64(luck)), perYear(alerts, float64(luck)))
	b.WriteString("immediate, specification: where the first dataset takes longer than the rule waits, the miner never begins\n")
	return b.String()
}

// An entrant is a watchdog that looks once a step, in seconds.
type entrant struct {
	name string
	make func() watchdog
	step float64
}

func entrants() []entrant {
	return []entrant{
		{"evidence", func() watchdog { return newOurs("evidence") }, 10},
		{"immediate", func() watchdog { return newOurs("immediate") }, 10},
		{"specification", func() watchdog { return literal{} }, 10},
		{"RigForge", func() watchdog { return new(rigForge) }, 10},
		{"HiveOS", func() watchdog { return new(hiveOS) }, 10},
		{"Tari", func() watchdog { return new(tari) }, 5},
	}
}

func compete(dogs []entrant, hosts, days int, seed uint64) []*score {
	var scores []*score
	for _, d := range dogs {
		scores = append(scores, &score{name: d.name})
	}
	for i := range hosts {
		h := newHost(days, seed<<20+uint64(i))
		for j, d := range dogs {
			scores[j].live(h, d.make(), d.step, seed<<20+uint64(i))
		}
	}
	return scores
}

func perYear(n int, years float64) string {
	rate := float64(n) / years
	switch {
	case n == 0:
		return "0"
	case rate >= 100:
		return fmt.Sprintf("%.0f", rate)
	}
	return fmt.Sprintf("%.2g", rate)
}

func (s *score) detection(f flaw) string {
	found, lost := s.found[f], s.lost[f]
	if len(found) == 0 {
		if lost == 0 {
			return "-"
		}
		return "never"
	}
	longest := 0.0
	for _, d := range found {
		longest = max(longest, d)
	}
	text := fmt.Sprintf("%s, %s", brief(median(found)), brief(longest))
	if lost > 0 {
		text += fmt.Sprintf(" (%.0f %%)", 100*float64(lost)/float64(lost+len(found)))
	}
	return text
}

func brief(s float64) string {
	switch d := seconds(s).Round(time.Second); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	default:
		return fmt.Sprintf("%.0fh", d.Hours())
	}
}
