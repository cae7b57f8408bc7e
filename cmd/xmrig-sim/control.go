//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A state is what the simulated miner is going through.
type state string

const (
	mining     state = "mining"
	starting   state = "starting"    // never connected
	noJob      state = "no-job"      // logged in, and no job came
	dataset    state = "dataset"     // connected, building RandomX's dataset
	paused     state = "paused"      // as by the API or the console
	poolDown   state = "pool-down"   // the session was lost, or never was
	wedged     state = "wedged"      // connected, and no thread moves
	threadDead state = "thread-dead" // the last thread stands still
	stale      state = "stale"       // hashing, and no share is found
	rejects    state = "rejects"     // the pool refuses two shares in five
	degraded   state = "degraded"    // 60 % of the rate, huge pages lost
)

// What the API does.
const (
	apiOn       = "on"
	apiOff      = "off"      // nothing listens
	apiHang     = "hang"     // connections are accepted and never answered
	apiTruncate = "truncate" // JSON that ends half-way
	apiGarbage  = "garbage"  // status 200 and no JSON
	apiClose    = "close"    // connections are closed at once
	apiEndless  = "endless"  // an answer that never ends
	apiHeader   = "header"   // half a megabyte of header
	apiOther    = "other"    // the JSON of another version
)

// A control is what the control file says. Pointers are nil where it says
// nothing.
type control struct {
	state      state
	api        string
	crash      string // "", "abort", "segv" or "exit:N"
	hashrate   float64
	threads    int
	shareEvery float64 // seconds that a share takes on average
	speed      float64 // simulated seconds in a real one
	busy       float64 // of one CPU that each hashing thread uses
	uptime     *int64
	accepted   *int64
	rejected   *int64
	hugePages  *int64 // pages that were got
}

const hashrateOfThread = 500 // H/s

func defaultControl(threads int) control {
	return control{
		state: mining, api: apiOn, threads: threads, shareEvery: 10, speed: 1, busy: 0.02,
	}
}

// rate is the hashrate in H/s with all threads sound.
func (c control) rate() float64 {
	if c.hashrate > 0 {
		return c.hashrate
	}
	return hashrateOfThread * float64(c.threads)
}

// difficulty is such that a share takes shareEvery at the full rate.
func (c control) difficulty() int64 { return max(1, int64(c.rate()*c.shareEvery)) }

// controlFile is where the control file is looked for.
func controlFile() string {
	if path := os.Getenv("XMRIG_SIM_CONTROL"); path != "" {
		return path
	}
	return "/run/xmrig-sim/control"
}

// parseControl reads key=value words; # starts a comment. What the text does
// not name has the value of c. The first word that is wrong ends the reading;
// what came before it counts.
func (c control) parse(text string) (control, error) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.Fields(line) {
			key, value, _ := strings.Cut(word, "=")
			next := c
			if err := next.set(key, value); err != nil {
				return c, fmt.Errorf("control %s: %v", word, err)
			}
			c = next
		}
	}
	return c, nil
}

func (c *control) set(key, value string) (err error) {
	switch key {
	case "state":
		c.state, err = oneOf(state(value), mining, starting, noJob, dataset, paused,
			poolDown, wedged, threadDead, stale, rejects, degraded)
	case "api":
		c.api, err = oneOf(value, apiOn, apiOff, apiHang, apiTruncate, apiGarbage, apiClose, apiEndless, apiHeader, apiOther)
	case "hang":
		if value, err = oneOf(value, "0", "1"); value == "1" {
			c.api = apiHang
		}
	case "crash":
		c.crash = value
		if code, isExit := strings.CutPrefix(value, "exit:"); isExit {
			_, err = strconv.ParseUint(code, 10, 8)
		} else {
			_, err = oneOf(value, "", "abort", "segv")
		}
	case "share-every":
		var d time.Duration
		if d, err = time.ParseDuration(value); err == nil && d <= 0 {
			err = fmt.Errorf("must be above 0")
		}
		c.shareEvery = d.Seconds()
	case "hashrate":
		c.hashrate, err = between(value, 0.01, 1e9)
	case "threads":
		var n float64
		n, err = between(value, 1, 1024)
		c.threads = int(n)
	case "speed":
		c.speed, err = between(value, 0.01, 1e4)
	case "busy":
		c.busy, err = between(value, 0, 1)
	case "uptime":
		c.uptime, err = count(value)
	case "accepted":
		c.accepted, err = count(value)
	case "rejected":
		c.rejected, err = count(value)
	case "hugepages":
		c.hugePages, err = count(value)
	default:
		err = fmt.Errorf("unknown key")
	}
	return err
}

func oneOf[T ~string](value T, allowed ...T) (T, error) {
	for _, a := range allowed {
		if value == a {
			return value, nil
		}
	}
	return value, fmt.Errorf("want one of %q", allowed)
}

func between(text string, low, high float64) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= low && f <= high) {
		return 0, fmt.Errorf("want a number from %g to %g", low, high)
	}
	return f, nil
}

func count(text string) (*int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("want a whole number")
	}
	return &n, nil
}
