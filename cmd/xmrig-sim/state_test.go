//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func number(o object, path ...string) float64 {
	text, _ := o.get(path...).(json.Number)
	f, err := text.Float64()
	if err != nil {
		return -1
	}
	return f
}

func total(o object) string { return fmt.Sprint(o.get("hashrate", "total")) }

// TestRampUp compares each reading with what its own uptime calls for.
func TestRampUp(t *testing.T) {
	t.Parallel()
	p := start(t, "hashrate=1234.56 speed=200", `"restricted": true`, "")
	seen := map[string]bool{}
	for len(seen) < 4 {
		o := p.summary()
		want := "[<nil> <nil> <nil>]"
		switch up := number(o, "uptime"); {
		case up >= 900:
			want = "[1234.56 1234.56 1234.56]"
		case up >= 60:
			want = "[1234.56 1234.56 <nil>]"
		case up >= 10:
			want = "[1234.56 <nil> <nil>]"
		}
		seen[want] = true
		if got := total(o); got != want {
			t.Fatalf("at %v s: %s, want %s", o.get("uptime"), got, want)
		}
	}
	o := p.summary()
	if got := fmt.Sprint(o.get("hashrate", "highest")); got != "1234.56" {
		t.Errorf("highest %s", got)
	}
	shares, good := number(o, "uptime")/10, number(o, "connection", "accepted")
	if good < 0.9*shares || good > shares+1 || number(o, "results", "shares_good") != good ||
		number(o, "connection", "hashes_total") != good*number(o, "connection", "diff") {
		t.Errorf("one share in 10 s expected: %s", render(o))
	}
}

func TestStates(t *testing.T) {
	tests := []struct {
		state string
		live  string // fields after it was mining and 10 s have passed
	}{
		{"mining", "[1000.0 1000.0 ?] up rx/0"},
		{"starting", "[0.0 0.0 0.0] down null"},
		{"no-job", "[0.0 0.0 0.0] up null"},
		{"dataset", "[0.0 ? ?] up rx/0"},
		{"paused", "[0.0 ? ?] up rx/0 paused"},
		{"pool-down", "[0.0 ? ?] down rx/0"},
		{"wedged", "[0.0 ? ?] up rx/0"},
		{"thread-dead", "[500.0 ? ?] up rx/0"},
		{"stale", "[1000.0 1000.0 ?] up rx/0"},
		{"rejects", "[1000.0 1000.0 ?] up rx/0"},
		{"degraded", "[600.0 ? ?] up rx/0"},
	}
	fields := func(o object, pattern string) string {
		rates := o.get("hashrate", "total").([]any)
		masks := strings.Fields(strings.Trim(pattern[:strings.Index(pattern, "]")], "["))
		for i, mask := range masks {
			if mask == "?" {
				rates[i] = "?"
			}
		}
		out := fmt.Sprint(rates) + " down "
		if o.get("connection", "ip") != nil && number(o, "connection", "uptime_ms") > 0 {
			out = fmt.Sprint(rates) + " up "
		}
		algo, _ := o.get("algo").(string)
		if algo == "" {
			algo = "null"
		}
		out += algo
		if o.get("paused") == true {
			out += " paused"
		}
		return out
	}
	for _, test := range tests {
		t.Run(test.state, func(t *testing.T) {
			t.Parallel()
			common := " hashrate=1000 threads=2 speed=200"
			p := start(t, "state=mining"+common, `"restricted": true`, "")
			p.until("mining for a minute", func(o object) bool { return strings.HasPrefix(total(o), "[1000.0 1000.0") })
			p.write("state=" + test.state + common)
			p.until(test.live, func(o object) bool { return fields(o, test.live) == test.live })
			p.write("state=mining" + common)
			p.until("mining again", func(o object) bool { return strings.HasPrefix(total(o), "[1000.0 ") })
		})
	}
}

func TestFallTakesTenSeconds(t *testing.T) {
	t.Parallel()
	p := start(t, "speed=50 hashrate=1000", `"restricted": true`, "")
	p.until("mining", func(o object) bool { return strings.HasPrefix(total(o), "[1000.0 ") })
	p.write("state=pool-down speed=5 hashrate=1000")
	lost := p.until("lost", func(o object) bool { return o.get("connection", "ip") == nil })
	c := lost.get("connection").(object)
	if text := fmt.Sprintf("%v %v %v", c.get("pool"), c.get("failures"), c.get("diff")); text != "127.0.0.1:33333 1 0" {
		t.Errorf("connection %s", text)
	}
	if strings.HasPrefix(total(lost), "[0.0 ") || strings.HasPrefix(total(lost), "[1000.0 ") {
		t.Errorf("right after the loss %s", total(lost))
	}
	zero := p.until("zero", func(o object) bool { return strings.HasPrefix(total(o), "[0.0 ") })
	if took := number(zero, "uptime") - number(lost, "uptime"); took < 7 || took > 12 {
		t.Errorf("the fall took %v s", took)
	}
}

func TestNeverHashedThread(t *testing.T) {
	t.Parallel()
	p := start(t, "state=thread-dead threads=2 hashrate=1000 speed=100", `"restricted": true`, "")
	o := p.until("two minutes", func(o object) bool { return number(o, "uptime") > 120 })
	if total(o) != "[<nil> <nil> <nil>]" {
		t.Errorf("total %s", total(o))
	}
	_, body := p.get("/2/backends")
	threads := parseBody([]byte(body)).([]any)[0].(object).get("threads").([]any)
	first, last := threads[0].(object).get("hashrate").([]any), threads[1].(object).get("hashrate").([]any)
	if first[0] != json.Number("500.0") || last[0] != json.Number("0.0") {
		t.Errorf("threads %v %v", first, last)
	}
}

func TestWedgedFromTheStart(t *testing.T) {
	t.Parallel()
	p := start(t, "state=wedged speed=100", `"restricted": true`, "")
	o := p.until("a minute", func(o object) bool { return number(o, "uptime") > 60 })
	if total(o) != "[<nil> <nil> <nil>]" || o.get("connection", "ip") == nil {
		t.Errorf("%s", render(o))
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	p := start(t, "speed=100 share-every=2s accepted=100", `"restricted": true`, "")
	accepted := func(o object) float64 { return number(o, "connection", "accepted") }
	rejected := func(o object) float64 { return number(o, "connection", "rejected") }
	p.until("shares", func(o object) bool { return accepted(o) > 150 })
	p.write("state=stale speed=100 share-every=2s accepted=100")
	var last object // with another number of shares
	after := p.until("a time of ten shares without one", func(o object) bool {
		if last == nil || accepted(o) != accepted(last) {
			last = o
		}
		return number(o, "uptime") >= number(last, "uptime")+20
	})
	if rejected(after) != 0 {
		t.Errorf("stale shares are rejected: %s", render(after))
	}
	p.write("state=rejects speed=100 share-every=2s accepted=100")
	o := p.until("rejects", func(o object) bool { return rejected(o) >= 40 })
	fresh := accepted(o) - accepted(after)
	if part := rejected(o) / (fresh + rejected(o)); part < 0.35 || part > 0.45 {
		t.Errorf("%.2f of the shares were rejected", part)
	}
	p.write("speed=100 share-every=2s accepted=7 rejected=0 uptime=5000")
	p.until("set counts", func(o object) bool {
		return accepted(o) >= 7 && accepted(o) < 100 && number(o, "uptime") >= 5000 && number(o, "uptime") < 5500
	})
}

func TestHugePages(t *testing.T) {
	t.Parallel()
	p := launch(t, "", `{"http": {"enabled": true, "port": 0}, "cpu": {"rx": [0, 1]}, "pools": [{"url": "pool.example:1"}]}`)
	p.address = strings.Fields(p.await("HTTP API"))[3]
	for control, want := range map[string]string{
		"": "[1170 1170]", "hugepages=900": "[900 1170]", "state=degraded": "[0 1170]", "state=no-job": "[0 0]",
	} {
		if control == "" {
			control = "state=mining"
		}
		p.write(control)
		p.until(control+": "+want, func(o object) bool { return fmt.Sprint(o.get("hugepages")) == want })
	}
}

func TestRPC(t *testing.T) {
	t.Parallel()
	p := start(t, "speed=20", `"restricted": false, "access-token": "t"`, "")
	header := []string{"Authorization: Bearer t", "Content-Type: application/json"}
	_, body := p.request("POST", "/json_rpc", `{"jsonrpc": "2.0", "id": 7, "method": "pause"}`, header...)
	want := "{\n    \"result\": {\n        \"status\": \"OK\"\n    },\n    \"jsonrpc\": \"2.0\",\n    \"id\": 7\n}"
	if body != want {
		t.Errorf("pause: %s", body)
	}
	summary := func() object {
		_, body := p.get("/2/summary", header[0])
		return parseBody([]byte(body)).(object)
	}
	if summary().get("paused") != true {
		t.Error("not paused")
	}
	p.request("POST", "/json_rpc", `{"method": "resume"}`, header...)
	if summary().get("paused") != false {
		t.Error("not resumed")
	}
	p.request("POST", "/json_rpc", `{"method": "stop"}`, header...)
	if o := summary(); total(o) != "[0.0 0.0 0.0]" || o.get("paused") != false {
		t.Errorf("stopped: %s", render(o))
	}
	waitFor(t, func() bool { return strings.HasPrefix(total(summary()), "[500.0 ") })
}

func TestWorkerID(t *testing.T) {
	host, _ := os.Hostname()
	for more, want := range map[string]string{
		"":                                host,
		`"api": {"worker-id": "rig-7"},`:  "rig-7",
		`"api": {"worker-id": "${HOME"},`: "${HOME",
	} {
		if got := start(t, "", `"restricted": true`, more).summary().get("worker_id"); got != want {
			t.Errorf("%s: %s, want %s", more, got, want)
		}
	}
	p := start(t, "", `"restricted": true`, `"api": {"worker-id": "at-${HOME}-x"},`)
	if got := fmt.Sprint(p.summary().get("worker_id")); !strings.HasPrefix(got, "at-/") || !strings.HasSuffix(got, "-x") {
		t.Errorf("expanded to %s", got)
	}
}

// TestCPUTime: the process uses CPU time in the states in which XMRig would.
func TestCPUTime(t *testing.T) {
	p := start(t, "busy=0.5", `"restricted": true`, "")
	for _, state := range []string{"mining", "dataset"} {
		p.write("busy=0.5 state=" + state)
		time.Sleep(2 * poll)
		before := cpuTicks(t, p.Process.Pid)
		waitFor(t, func() bool { return cpuTicks(t, p.Process.Pid)-before > 15 })
	}
	for _, state := range []string{"wedged", "paused", "pool-down", "no-job"} {
		p.write("busy=0.5 state=" + state)
		waitFor(t, func() bool { // for a second without work
			before := cpuTicks(t, p.Process.Pid)
			time.Sleep(time.Second)
			return cpuTicks(t, p.Process.Pid)-before <= 5
		})
	}
}

func cpuTicks(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
	user, _ := strconv.ParseFloat(fields[12], 64)
	system, _ := strconv.ParseFloat(fields[13], 64)
	return user + system
}

func TestControlMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"state=asleep":           `control state=asleep: want one of`,
		"speed=0":                "control speed=0: want a number from 0.01 to 10000",
		"share-every=0s":         "control share-every=0s: must be above 0",
		"crash=exit:999":         "control crash=exit:999:",
		"accepted=-1":            "control accepted=-1: want a whole number",
		"hasrate=1":              "control hasrate=1: unknown key",
		"threads=2 x # comment":  "control x: unknown key",
		"# state=asleep\napi=on": "",
	} {
		c, err := defaultControl(1).parse(text)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if c.state != mining || c.speed != 1 || c.crash != "" {
			t.Errorf("%s: %+v", text, c)
		}
	}
}

func TestControlFileGoes(t *testing.T) {
	t.Parallel()
	p := start(t, "state=paused", `"restricted": true`, "")
	if p.summary().get("paused") != true {
		t.Fatal("not paused")
	}
	write(t, p.control, "")
	time.Sleep(3 * poll)
	if p.summary().get("paused") != true {
		t.Error("an empty file changed the state")
	}
	os.Remove(p.control)
	p.until("mining", func(o object) bool { return o.get("paused") == false })
}
