//go:build linux

// Command xmrig-sim stands in for XMRig in tests and in the demonstration. It is
// never shipped, and runs on Linux only.
//
// It takes the same options, looks for its configuration in the same places,
// exits with the same codes and serves the same HTTP API as XMRig 6.26.0, in
// the order and the number formats of the bodies in package recorded. It
// opens no connection to any pool and computes no hash: session, shares and
// rates are made up, and the threads only use a little CPU time.
//
// The control file says what it goes through. It is $XMRIG_SIM_CONTROL, or
// /run/xmrig-sim/control, is read ten times a second and never written, and
// holds key=value words. No file is the same as state=mining; an empty one
// changes nothing, because it may be one that is being written.
//
//	state=mining       connected, hashing, shares are accepted
//	     =starting     never connected
//	     =no-job       connected, no job yet
//	     =dataset      connected, building the dataset: no hashes, CPU in use
//	     =paused       by the API or the console
//	     =pool-down    the session is lost; at the start: never was
//	     =wedged       connected, not paused, no hashes, no CPU in use
//	     =thread-dead  the last thread stands still; from the start: totals null
//	     =stale        hashing, no share is found
//	     =rejects      two shares in five are rejected
//	     =degraded     60 % of the rate, and no huge pages
//	api=on|off|hang|truncate|garbage|close|endless|header|other
//	hang=1             the same as api=hang
//	crash=abort|segv|exit:N
//	hashrate=H/s threads=N share-every=10s hugepages=N
//	uptime=S accepted=N rejected=N  set once, and they go on from there
//	busy=0.02          share of a CPU that each hashing thread uses
//	speed=1            simulated seconds in a real one
//
// A word that cannot be understood is reported on stderr and the rest of the
// file is not read.
//
// XMRig's reload of a changed file, its autosave, log-file, PUT of a
// configuration, and the random port that it takes when a bind fails for
// another reason than a port in use are not simulated.
//
// A new state is a constant in control.go, what it does to rates and shares in
// miner.go, and a test that reads it from the API.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version can be set at link time, for a release to upgrade to.
var version = "6.26.0"

const poll = 100 * time.Millisecond

func main() { os.Exit(run(os.Args)) }

func run(args []string) int {
	signal.Ignore(syscall.SIGUSR1, syscall.SIGPIPE)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)

	o := parseOptions(args, os.Stderr)
	switch {
	case o.help:
		fmt.Print("Usage: xmrig [OPTIONS]\n\n  -c, --config=FILE\n  -d, --data-dir=DIR\n" +
			"      --dry-run\n  -V, --version\n  -h, --help\n")
		return 0
	case o.version:
		fmt.Printf("XMRig %s\n built on Nov 22 2026 with GCC 12.2.0\n features: 64-bit AES\n\nlibuv/1.44.2\n", version)
		return 0
	}
	if o.dataDir != "" && os.Chdir(o.dataDir) != nil {
		o.dataDir = ""
	}
	// Before a configuration is accepted XMRig writes to any stdout.
	early := &console{w: os.Stdout}
	c := loadConfig(o, func(format string, args ...any) { early.printf("config", format, args...) })
	if c == nil {
		early.printf("config", "No valid configuration found. Exiting.")
		return 2
	}
	log := openConsole(os.Stdout)
	greet(log, c)
	if o.dryRun {
		log.printf("config", "OK")
		return 0
	}
	return mine(c, log, end)
}

func greet(log *console, c *config) {
	log.item("ABOUT", "XMRig/%s gcc/12.2.0 (simulator)", version)
	log.item("CONFIG", "%s", c.file)
	log.item("DONATE", "%d%%", c.number(1, 1, 99, "donate-level"))
	for i, p := range c.pools {
		log.item(fmt.Sprintf("POOL #%d", i+1), "%s algo %s", p, p.algo)
	}
}

// mine runs until a signal ends it, which is never an error for XMRig.
func mine(c *config, log *console, end <-chan os.Signal) int {
	m := newMiner(c, log)
	a := &api{listen: c.http(), miner: m, log: log}
	defaults, last, threads := m.control, "", 0
	for first := true; ; first = false {
		text, err := os.ReadFile(controlFile())
		gone := err != nil && last != ""
		if first || gone || len(text) > 0 && string(text) != last {
			last = string(text)
			next, err := defaults.parse(last)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			crash(next.crash)
			m.follow(next)
			a.follow(next.api)
		}
		m.tick()
		for ; threads < m.threadCount(); threads++ {
			go burn(m, threads)
		}
		select {
		case s := <-end:
			log.printf("signals", "%s received, exiting", signalNames[s])
			return 0
		case <-time.After(poll):
		}
	}
}

var signalNames = map[os.Signal]string{
	syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT", syscall.SIGHUP: "SIGHUP",
}

// burn uses CPU time for one simulated thread for ever.
func burn(m *miner, thread int) {
	for {
		until := time.Now().Add(time.Duration(m.busy(thread) * float64(poll)))
		rest := poll - time.Until(until)
		for time.Now().Before(until) {
		}
		time.Sleep(rest)
	}
}
