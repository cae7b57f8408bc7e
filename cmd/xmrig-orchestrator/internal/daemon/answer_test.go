package daemon

import (
	"io"
	"net"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

// An API that gives answers of no use, or none, costs no restart and does not
// keep the agent from the next poll.
func TestAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n\r\n"
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, text) }
	}
	forever := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, text)
			}
		}
	}
	tests := []struct {
		name    string
		broken  func(net.Conn)
		cause   health.Cause
		problem string
	}{
		{"garbage", says("\x00\xff\r\n\r\n"), health.CauseAPIGarbled, "not an HTTP answer"},
		{"half an answer", says(head + `{"version": "6.26.0", `), health.CauseAPIGarbled, "parse summary: unexpected end of JSON input"},
		{"half a header", says("HTTP/1.1 200 O"), health.CauseAPIGarbled, "truncated answer: no end of its header"},
		{"without an end", forever(head + strings.Repeat(" ", 4096)), health.CauseAPIGarbled, "answer exceeds 262144 bytes"},
		{"a long header", says(strings.Replace(head, "\r\n", "\r\nX: "+strings.Repeat("x", 500_000)+"\r\n", 1)), health.CauseAPIGarbled, "answer exceeds 262144 bytes"},
		{"another version", says(head + `{"version": "7.0.0", "rates": [1, 2, 3]}`), health.CauseAPIGarbled, "parse summary: no results.shares_total in it"},
		{"other types", says(head + `{"version": 7, "hashrate": "1 kH/s"}`), health.CauseAPIGarbled, "parse summary: json: cannot unmarshal"},
		{"a refusal", says("HTTP/1.1 401 Unauthorized\r\n\r\n"), health.CauseAPIGarbled, "401 Unauthorized: its access token is another one"},
		{"nothing", says(""), health.CauseAPIDead, "truncated answer: no end of its header"},
		{"never", func(c net.Conn) { io.Copy(io.Discard, c) }, health.CauseAPIDead, "no answer within 3s"},
	}
	h := newHashingHost(t)
	h.Settings.Thresholds = map[string]float64{"wedge_polls": 1} // each is told at once
	h.Settings.API.Token = "s3cret"
	h.Configure()
	h.start(true)
	for _, tt := range tests {
		h.Await("before "+tt.name, func(p health.Process) bool { return p.State == agent.Running && p.Hashrate != nil })
		h.Break(tt.broken)
		p := h.Await(tt.name, func(p health.Process) bool {
			return p.State == agent.Unhealthy && strings.Contains(p.LastError, tt.problem)
		})
		if p.Hashrate != nil || p.Snapshot != nil || strings.Contains(p.LastError, "s3cret") {
			t.Errorf("%s: the row is %+v", tt.name, p)
		}
		h.AwaitDecision(tt.cause)
		h.Break(nil)
	}
	if got := h.Calls(); got != "" {
		t.Errorf("systemctl was told %s", got)
	}
}

// What a process answers just before another one takes its place is not recorded
// as the other one's.
func TestAnswerOfProcessBefore(t *testing.T) {
	h := newHashingHost(t)
	h.Settings.Interval = seldom
	h.Configure()
	h.BeforeAnswer(func() { h.Starts(11) })
	h.start(true)
	p := h.Await("first", func(p health.Process) bool { return p.PID == 11 })
	if p.Snapshot != nil || p.Hashrate != nil || p.Accepted != nil || p.Rejected != nil {
		t.Errorf("the row is %+v", p)
	}
}
