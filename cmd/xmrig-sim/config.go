//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A config is an accepted configuration.
type config struct {
	file  string // the last one read
	keys  object
	pools []pool // the enabled ones, at least one
}

// A pool is where XMRig would mine.
type pool struct {
	host, port, algo string
	tls              bool
}

func (p pool) String() string { return net.JoinHostPort(p.host, p.port) }

// loadConfig tries the places in XMRig's order (XMRig source Base.cpp:121-157)
// and returns nil if none yields an enabled pool. What a file says stays in
// force when a later one has to supply the pool. Complaints go to complain.
func loadConfig(o options, complain func(format string, args ...any)) *config {
	beside := o.dataDir
	if exe, err := os.Executable(); beside == "" && err == nil {
		beside = filepath.Dir(exe)
	}
	home, _ := os.UserHomeDir()
	var c config
	for i, file := range []string{
		o.config,
		filepath.Join(beside, "config.json"),
		filepath.Join(home, ".xmrig.json"),
		filepath.Join(home, ".config", "xmrig.json"),
	} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			if i == 0 {
				complain("unable to open \"%s\".", file)
			}
			continue
		}
		keys, err := parse(text)
		if err != nil {
			complain("%s, error: \"%v\"", file, err)
			continue
		}
		c.add(file, keys)
		if len(c.pools) > 0 {
			return &c
		}
	}
	return nil
}

func (c *config) add(file string, keys object) {
	keys = slices.DeleteFunc(keys, func(m member) bool { return m.value == nil })
	for _, m := range c.keys {
		if keys.get(m.key) == nil {
			keys = append(keys, m)
		}
	}
	c.file, c.keys, c.pools = file, keys, nil
	list, _ := keys.get("pools").([]any)
	for _, entry := range list {
		o, _ := entry.(object)
		if p, ok := parsePool(o); ok {
			c.pools = append(c.pools, p)
		}
	}
}

func parsePool(o object) (pool, bool) {
	if enabled, isBool := o.get("enabled").(bool); isBool && !enabled {
		return pool{}, false
	}
	url, _ := o.get("url").(string)
	if _, rest, found := strings.Cut(url, "://"); found {
		url = rest
	}
	host, port, found := url, "3333", false
	if i := strings.LastIndexByte(url, ':'); i >= 0 {
		host, port, found = url[:i], url[i+1:], true
	}
	if n, err := strconv.ParseUint(port, 10, 16); found && (err != nil || n == 0) {
		return pool{}, false
	}
	algo, _ := o.get("algo").(string)
	if algo == "" {
		algo = "auto"
	}
	tls, _ := o.get("tls").(bool)
	return pool{strings.Trim(host, "[]"), port, algo, tls}, host != ""
}

// ip is the address that the API names for the pool. Nothing is resolved: a
// pool with a name gets an address reserved for documentation (RFC 5737).
func (p pool) ip() string {
	if net.ParseIP(p.host) != nil {
		return p.host
	}
	return "192.0.2.10"
}

// A listen is the http object of the configuration.
type listen struct {
	enabled    bool
	host, port string
	token      *string // nil: none set
	restricted bool
}

func (c *config) http() listen {
	l := listen{host: "127.0.0.1", port: "0", restricted: true}
	l.enabled, _ = c.keys.get("http", "enabled").(bool)
	if host, ok := c.keys.get("http", "host").(string); ok {
		l.host = host
	}
	if port, ok := c.keys.get("http", "port").(json.Number); ok {
		l.port = port.String()
	}
	if token, ok := c.keys.get("http", "access-token").(string); ok {
		l.token = &token
	}
	if restricted, ok := c.keys.get("http", "restricted").(bool); ok {
		l.restricted = restricted
	}
	return l
}

// number returns a number of the configuration if it lies within the bounds,
// and otherwise the default, as XMRig does without a word.
func (c *config) number(def, low, high int, path ...string) int {
	text, _ := c.keys.get(path...).(json.Number)
	n, err := strconv.Atoi(text.String())
	if err != nil || n < low || n > high {
		return def
	}
	return n
}

// affinities has one entry for each thread: the CPU, or -1 for any.
func (c *config) affinities() []int {
	for _, profile := range []string{"rx", "*"} {
		list, ok := c.keys.get("cpu", profile).([]any)
		if !ok || len(list) == 0 {
			continue
		}
		var out []int
		for _, entry := range list {
			if pair, isPair := entry.([]any); isPair && len(pair) > 1 {
				entry = pair[1]
			}
			n, err := strconv.Atoi(fmt.Sprint(entry))
			if err != nil {
				n = -1
			}
			out = append(out, n)
		}
		return out
	}
	hint := c.number(100, 1, 100, "cpu", "max-threads-hint")
	out := make([]int, max(1, runtime.NumCPU()*hint/100))
	for i := range out {
		out[i] = -1
	}
	return out
}

// workerID is api.worker-id, or the name of the host.
func (c *config) workerID() string {
	id, _ := c.keys.get("api", "worker-id").(string)
	if id = expand(id); id != "" {
		return id
	}
	host, _ := os.Hostname()
	return host
}

// expand replaces each ${VAR} by the variable of the environment.
func expand(s string) string {
	before, rest, opened := strings.Cut(s, "${")
	name, after, closed := strings.Cut(rest, "}")
	if !opened || !closed {
		return s
	}
	return before + os.Getenv(name) + expand(after)
}

// hugePages is how many pages RandomX asks for with so many threads, and
// whether it may have them (XMRig source RxDataset.cpp:171-223).
func (c *config) hugePages(threads int) (wanted int, allowed bool) {
	allowed = true
	if on, ok := c.keys.get("cpu", "huge-pages").(bool); ok {
		allowed = on
	}
	switch {
	case c.keys.get("randomx", "mode") == "light":
		return 128 + threads, allowed
	case c.keys.get("randomx", "1gb-pages") == true:
		return 3 + threads, allowed
	}
	return 1168 + threads, allowed
}
