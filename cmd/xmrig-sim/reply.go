//go:build linux

package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"xmrfleet/cmd/internal/recorded"
)

// The bodies that XMRig 6.26.0 gave are the templates of the answers: they fix
// the members, their order and whatever does not change.
func recordedBody(name string) any { return parseBody([]byte(recorded.Body(name))) }

// summary is the body of /2/summary, or of /1/summary.
func (m *miner) summary(apiVersion int, restricted bool) object {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	o := recordedBody("never-connected.summary").(object)
	o.set("id", m.id())
	o.set("worker_id", m.config.workerID())
	o.set("uptime", int64(m.now-m.started))
	o.set("restricted", restricted)
	setResources(o)
	o.set("results", m.results(o.get("results").(object)))
	o.set("connection", m.connection(o.get("connection").(object)))
	if m.hasJob {
		o.set("algo", "rx/0")
	}
	o.set("version", version)
	o.set("ua", strings.Replace(o.get("ua").(string), "6.26.0", version, 1))
	o.set("donate_level", m.config.number(1, 1, 99, "donate-level"))
	o.set("paused", m.paused())
	if m.threads != nil {
		o.set("hashrate.total", m.total.rates(m.now))
	}
	if m.highest > 0 {
		o.set("hashrate.highest", decimal(m.highest))
	}
	got, wanted := m.hugePages()
	o.set("hugepages", []any{got, wanted})
	if apiVersion == 1 {
		o.set("hugepages", got == wanted)
		threads := []any{}
		for _, t := range m.threads {
			threads = append(threads, t.rates(m.now))
		}
		o.append("hashrate", "threads", threads)
		o.append("results", "error_log", []any{})
		o.append("connection", "error_log", []any{})
	}
	return o
}

func (o object) append(path, key string, value any) {
	o.set(path, append(o.get(path).(object), member{key, value}))
}

// id is 16 hex digits that stay the same on a host.
func (m *miner) id() string {
	if id, ok := m.config.keys.get("api", "id").(string); ok && id != "" {
		return id
	}
	h := fnv.New64a()
	host, _ := os.Hostname()
	fmt.Fprint(h, host, m.config.http().port)
	return fmt.Sprintf("%016x", h.Sum64())
}

func setResources(o object) {
	var info syscall.Sysinfo_t
	syscall.Sysinfo(&info) // on an error all figures stay 0
	o.set("resources.memory.free", uint64(info.Freeram)*uint64(info.Unit))
	o.set("resources.memory.total", uint64(info.Totalram)*uint64(info.Unit))
	o.set("resources.memory.resident_set_memory", residentSet())
	load := make([]any, len(info.Loads))
	for i, l := range info.Loads {
		load[i] = decimal(float64(l) / (1 << 16))
	}
	o.set("resources.load_average", load)
	o.set("resources.hardware_concurrency", runtime.NumCPU())
}

func residentSet() int {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// difficulty is that of the present job, and 0 without one.
func (m *miner) difficulty() int64 {
	if !m.conn.up || !m.hasJob {
		return 0
	}
	return m.control.difficulty()
}

func (m *miner) connectedFor() float64 {
	if !m.conn.up {
		return 0
	}
	return m.now - m.conn.since
}

// meanTime is the time between the answers of this session in milliseconds.
func (m *miner) meanTime() int64 {
	if m.conn.answers == 0 {
		return 0
	}
	return int64(m.connectedFor()*1000) / m.conn.answers
}

func (m *miner) results(o object) object {
	o.set("diff_current", m.difficulty())
	o.set("shares_good", m.conn.accepted)
	o.set("shares_total", m.conn.accepted+m.conn.rejected)
	o.set("avg_time", m.meanTime()/1000)
	o.set("avg_time_ms", m.meanTime())
	o.set("hashes_total", m.conn.hashes)
	best := []any{}
	for _, b := range m.conn.best {
		best = append(best, b)
	}
	o.set("best", best)
	return o
}

func (m *miner) connection(o object) object {
	o.set("pool", m.conn.pool)
	if m.conn.up {
		o.set("ip", m.config.pools[0].ip())
		if m.config.pools[0].tls {
			o.set("tls", "TLSv1.3")
		}
	}
	o.set("uptime", int64(m.connectedFor()))
	o.set("uptime_ms", int64(m.connectedFor()*1000))
	if m.conn.answers > 0 {
		o.set("ping", 34)
	}
	o.set("failures", m.conn.failures)
	if m.hasJob {
		o.set("algo", "rx/0")
	}
	o.set("diff", m.difficulty())
	o.set("accepted", m.conn.accepted)
	o.set("rejected", m.conn.rejected)
	o.set("avg_time", m.meanTime()/1000)
	o.set("avg_time_ms", m.meanTime())
	o.set("hashes_total", m.conn.hashes)
	return o
}

// hugePages are the pages in use and those asked for; 0 of 0 before RandomX
// has been set up.
func (m *miner) hugePages() (got, wanted int) {
	if m.threads == nil {
		return 0, 0
	}
	wanted, allowed := m.config.hugePages(len(m.threads))
	switch {
	case m.control.hugePages != nil:
		got = min(int(*m.control.hugePages), wanted)
	case allowed && m.control.state != degraded:
		got = wanted
	}
	return got, wanted
}

// backends is the body of /2/backends.
func (m *miner) backends() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	priority := m.config.number(-1, -1, 5, "cpu", "priority")
	if m.threads == nil {
		list := recordedBody("no-job.backends").([]any)
		list[0].(object).set("priority", priority)
		return list
	}
	list := recordedBody("job-paused.backends").([]any)
	o := list[0].(object)
	template := o.get("threads").([]any)[0].(object)
	got, wanted := m.hugePages()
	const scratchpad = 2 << 20
	o.set("priority", priority)
	o.set("hugepages", []any{got, wanted})
	o.set("memory", scratchpad*len(m.threads))
	o.set("hashrate", m.total.rates(m.now))
	affinities := m.config.affinities()
	threads := []any{}
	for i, t := range m.threads {
		thread := append(object{}, template...)
		if i < len(affinities) {
			thread.set("affinity", affinities[i])
		}
		thread.set("hashrate", t.rates(m.now))
		threads = append(threads, thread)
	}
	o.set("threads", threads)
	return list
}

// xmrigDefaults are XMRig's where the recorded configuration has other values.
var xmrigDefaults = map[string]any{
	"http.enabled": false, "http.port": 0, "http.access-token": nil, "http.restricted": true,
	"autosave": true, "colors": true, "title": true, "watch": true, "print-time": 60,
	"randomx.mode": "auto", "randomx.rdmsr": true, "randomx.wrmsr": true, "randomx.numa": true,
	"cpu.huge-pages": true,
}

// fullConfig is the body of /2/config: the defaults overlaid by the file, with
// the keys dropped that XMRig does not know, and the access token in clear.
func (m *miner) fullConfig() object {
	o := recordedBody("full.config").(object)
	pool := o.get("pools").([]any)[0].(object)
	for path, value := range xmrigDefaults {
		o.set(path, value)
	}
	o.overlay(m.config.keys)
	o.set("donate-level", m.config.number(1, 1, 99, "donate-level"))
	list, _ := m.config.keys.get("pools").([]any)
	pools := []any{}
	for _, entry := range list {
		from, _ := entry.(object)
		p := append(object{}, pool...)
		p.set("user", nil)
		p.set("pass", nil)
		p.overlay(from)
		pools = append(pools, p)
	}
	o.set("pools", pools)
	return o
}
