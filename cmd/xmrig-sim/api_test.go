//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/internal/recorded"
)

func TestRenderIsAsRecorded(t *testing.T) {
	names := recorded.Names()
	if len(names) != 9 {
		t.Fatalf("%d recorded bodies", len(names))
	}
	for _, name := range names {
		want := recorded.Body(name)
		if got := string(render(parseBody([]byte(want)))); got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// settle gives members that depend on host and time fixed values.
func settle(body string) string {
	o, isObject := parseBody([]byte(body)).(object)
	if !isObject {
		return body
	}
	if o.get("resources") == nil {
		return body
	}
	for _, path := range []string{"id", "worker_id", "uptime", "resources.memory.free", "resources.memory.total",
		"resources.memory.resident_set_memory", "resources.load_average", "resources.hardware_concurrency"} {
		o.set(path, "*")
	}
	if o.get("connection", "ip") != nil {
		o.set("connection.uptime", "*")
		o.set("connection.uptime_ms", "*")
	}
	return string(render(o))
}

func TestBodiesAreAsRecorded(t *testing.T) {
	t.Parallel()
	const (
		locked   = `"restricted": true`
		unlocked = `"restricted": false, "access-token": "s3cret"`
	)
	token := "Authorization: Bearer s3cret"
	check := func(t *testing.T, p *process, path, name string) {
		t.Helper()
		status, body := p.get(path, token)
		if status == "401" {
			status, body = p.get(path)
		}
		if got, want := settle(body), settle(recorded.Body(name)); status != "200" || got != want {
			t.Errorf("%s, status %s:\n%s", name, status, got)
		}
	}

	p := start(t, "state=starting", locked, "")
	check(t, p, "/2/summary", "never-connected.summary")
	check(t, p, "/2/backends", "no-job.backends")
	p = start(t, "state=pool-down", locked, "")
	check(t, p, "/2/summary", "never-connected.summary")
	p = start(t, "state=no-job", locked, "")
	check(t, p, "/2/summary", "logged-in-no-job.summary")

	p = start(t, "state=paused hashrate=1000 speed=100", unlocked, "")
	p.request("POST", "/json_rpc", `{"method": "pause", "id": 1}`, token, "Content-Type: application/json")
	waitFor(t, func() bool {
		_, body := p.get("/2/backends", token)
		return strings.Contains(body, "[0.0, null, null]")
	})
	p.write("state=paused hashrate=1000")
	check(t, p, "/2/backends", "job-paused.backends")
	check(t, p, "/2/summary", "job-paused.summary")
	p.write("state=pool-down hashrate=1000")
	waitFor(t, func() bool {
		_, body := p.get("/2/summary", token)
		return strings.Contains(body, `"ip": null`)
	})
	check(t, p, "/2/summary", "pool-lost.summary")

	_, body := p.get("/2/summary")
	if body != recorded.Body("401") {
		t.Errorf("401: %s", body)
	}
	_, body = p.get("/2/summary", "Authorization: Bearer wrong")
	if body != recorded.Body("403") {
		t.Errorf("403: %s", body)
	}
}

func TestConfigIsAsRecorded(t *testing.T) {
	full := recorded.Body("full.config")
	config := strings.Replace(full, "18080", "0", 1)
	p := launch(t, "", strings.Replace(config, `"autosave"`, `"unknown": 1, "autosave"`, 1))
	p.address = strings.Fields(p.await("HTTP API"))[3]
	for _, path := range []string{"/1/config", "/2/config"} {
		if _, body := p.get(path, "Authorization: Bearer s3cret"); body != config {
			t.Errorf("%s:\n%s", path, body)
		}
	}
}

func TestFirstVersion(t *testing.T) {
	p := start(t, "", `"restricted": true`, "")
	for _, path := range []string{"/1/summary", "/api.json"} {
		_, body := p.get(path)
		o := parseBody([]byte(body)).(object)
		got := fmt.Sprintf("%v %v %v %v", o.get("hugepages"), o.get("hashrate", "threads"),
			o.get("results", "error_log"), o.get("connection", "error_log"))
		if got != "false [[<nil> <nil> <nil>]] [] []" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestAuthorization(t *testing.T) {
	const (
		none, wrong, right = "", "Authorization: Bearer s3creT", "Authorization: Bearer s3cret"
		asJSON             = "Content-Type: application/json"
	)
	tests := []struct {
		http, method, path, auth, contentType string
		want                                  string
	}{
		{`"restricted": true`, "GET", "/2/summary", none, "", "200"},
		{`"restricted": true`, "GET", "/2/summary", right, "", "401"},
		{`"restricted": true`, "GET", "/2/backends", none, "", "200"},
		{`"restricted": true`, "GET", "/2/config", none, "", "403"},
		{`"restricted": true`, "PUT", "/2/config", none, asJSON, "403"},
		{`"restricted": true`, "POST", "/json_rpc", none, asJSON, "403"},
		{`"restricted": true`, "GET", "/", none, "", "404"},
		{`"restricted": true`, "GET", "/summary", none, "", "404"},
		{`"restricted": true`, "GET", "/2/summary?x=1", none, "", "404"},
		{`"restricted": true`, "GET", "/1/threads", none, "", "404"},
		{`"restricted": true`, "OPTIONS", "/2/summary", none, "", "200"},
		{`"restricted": true`, "PATCH", "/2/summary", none, "", "405"},
		{`"restricted": false`, "GET", "/2/summary", none, "", "401"},
		{`"restricted": false`, "GET", "/2/summary", right, "", "401"},
		{`"restricted": true, "access-token": "s3cret"`, "GET", "/2/summary", none, "", "401"},
		{`"restricted": true, "access-token": "s3cret"`, "GET", "/2/summary", wrong, "", "403"},
		{`"restricted": true, "access-token": "s3cret"`, "GET", "/2/summary", right, "", "200"},
		{`"restricted": true, "access-token": "s3cret"`, "GET", "/2/config", right, "", "403"},
		{`"restricted": false, "access-token": "s3cret"`, "GET", "/2/config", right, "", "200"},
		{`"restricted": false, "access-token": "s3cret"`, "POST", "/json_rpc", right, "", "415"},
		{`"restricted": false, "access-token": "s3cret"`, "POST", "/json_rpc", right, asJSON + "; charset=utf-8", "415"},
		{`"restricted": false, "access-token": "s3cret"`, "POST", "/json_rpc", right, asJSON, "200"},
	}
	running := map[string]*process{}
	for _, test := range tests {
		p := running[test.http]
		if p == nil {
			p = start(t, "", test.http, "")
			running[test.http] = p
		}
		var header []string
		for _, h := range []string{test.auth, test.contentType} {
			if h != "" {
				header = append(header, h)
			}
		}
		if got, _ := p.request(test.method, test.path, `{"method": "resume"}`, header...); got != test.want {
			t.Errorf("%s: %s %s %s %s: %s, want %s", test.http, test.method, test.path, test.auth, test.contentType, got, test.want)
		}
	}
}

func TestPortInUse(t *testing.T) {
	first := start(t, "", `"restricted": true`, "")
	_, port, _ := strings.Cut(first.address, ":")
	config := fmt.Sprintf(`{"http": {"enabled": true, "port": %s}, "pools": [{"url": "pool.example:1"}]}`, port)
	second := launch(t, "speed=100", config)
	second.await("HTTP API server failed to start.")
	first.Process.Kill()
	first.ended()
	second.await("accepted (2/0)")
	second.address = first.address
	if status, _ := second.get("/2/summary"); status != "refused" {
		t.Errorf("the port was bound later: %s", status)
	}
}

func TestAPIModes(t *testing.T) {
	t.Parallel()
	p := start(t, "", `"restricted": true, "port": 0`, "")
	for _, step := range []struct{ control, want string }{
		{"api=truncate", "200 broken"},
		{"api=garbage", "200 broken"},
		{"api=close", "no answer broken"},
		{"api=endless", "no answer broken"},
		{"api=header", "200 sound"},
		{"api=other", "200 other"},
		{"api=hang", "no answer broken"},
		{"hang=1", "no answer broken"},
		{"api=on", "200 sound"},
		{"api=off", "refused broken"},
	} {
		p.write(step.control)
		var got string
		for end := time.Now().Add(limit); got != step.want && time.Now().Before(end); {
			status, body := p.get("/2/summary")
			got = status + " broken"
			if json.Valid([]byte(body)) {
				got = status + " sound"
			}
			if strings.Contains(body, `"rates"`) {
				got = status + " other"
			}
		}
		if got != step.want {
			t.Errorf("%s: %s, want %s", step.control, got, step.want)
		}
	}
	p.write("api=on")
	p.address = strings.Fields(p.await("HTTP API"))[3]
	p.summary()
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v", limit)
		}
	}
}
