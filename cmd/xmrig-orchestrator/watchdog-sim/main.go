// Command watchdog-sim tells how often the health agent restarts a miner in
// vain, and how soon it sees a real fault. It is never shipped, and it may not
// copy the agent's rules: it calls the agent's own package health. `make
// bench-watchdog` runs it. What can happen to a miner is added in history.go and
// miner.go, another watchdog's rules in rivals.go.
//
// A seeded model of XMRig on many hosts is driven through months in steps of a
// poll, and the agent's own decision function is asked at each poll, as it is
// in the agent. The same histories, that is the same outages, rebuilds, faults
// and so on at the same moments, are then lived through under the rules of
// other watchdogs.
//
// The model knows what was measured of XMRig 6.26.0 and read in its source,
// and nothing of the rules:
//
//   - A hashrate is the mean over its window: that of 10 s is 0 some 10 s after
//     the hashing ends, 0 before the first job, and null for 10 s after the
//     workers start.
//   - A lost pool leaves an idle process, which tries again every 5 s. Now and
//     then a pool accepts the login and sends no job for minutes.
//   - A new seed, each 2048 blocks of 2 minutes, makes all threads rebuild the
//     dataset, as does the first job of a process.
//   - A round of donate_level minutes in 100 finds no shares for the pool. The
//     first one comes 49.5 to 148.5 minutes after the start, so that each
//     restart puts it off.
//   - Shares are a Poisson process of hashrate by difficulty. Three pools in
//     four adapt the difficulty, badly at times; one in five is a small one,
//     with minutes to hours between two shares.
//   - When the API's port is taken at the start, there is no API until the
//     next start. An answer may be truncated, or be late on a busy host.
//   - systemd restarts a process that ended after 10 s.
//
// Assumed, for want of measurements, are the frequencies; each is stated where
// it stands, in history.go, and means the mean of an exponential distribution.
// Faults come far more often than in life, so that their detection has a
// distribution, and where nothing else happens for a while: what happens to
// both at once is tested in package health. A fault that a watchdog does not
// see is repaired by a person after a day, a week for stale shares.
//
// Bad luck that matters is too rare to be met in decades. As shares have no
// memory, the waits of 12 expected ones and more are e^-12 of all, and each is
// 12 and a fresh wait: of thousands of years, only those are lived through.
//
// The columns "evidence" and "immediate" are the agent's two policies. The
// other watchdogs are modelled from their sources:
//
//   - Specification: each 10 s; a refused connection of an active unit, or a
//     hashrate of 0 (null is none), restarts at once, and so does the next:
//     a dataset that takes longer than 10 s is never finished. A late or
//     unreadable answer is an error in the daemon's log.
//   - RigForge: each 5 minutes; no answer, or a hashrate of 0 or null, twice in
//     a row restarts.
//   - HiveOS: each 10 s; a hashrate of 0 restarts the miner once after 3
//     minutes and reboots the host once after 10. Both are the operator's to
//     set; these are assumed.
//   - Tari: each 5 s; after 20 s of grace, no answer or no hashrate for 11
//     times in a row restarts.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	hosts := flag.Int("hosts", 100, "number of hosts")
	days := flag.Int("days", 100, "days that each host lives through")
	luck := flag.Int("luck", 10000, "years of shares of which the longest waits are lived through")
	seed := flag.Uint64("seed", 1, "of all chance")
	flag.Parse()
	debug.SetGCPercent(1000)
	start := time.Now()
	fmt.Print(simulate(*hosts, *days, *luck, *seed))
	fmt.Fprintf(os.Stderr, "%.1f s\n", time.Since(start).Seconds())
}
