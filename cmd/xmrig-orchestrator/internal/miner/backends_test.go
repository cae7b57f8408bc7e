package miner

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/recorded"
)

func TestParseBackends(t *testing.T) {
	tests := []struct {
		name, body, want string
		standing         int
	}{
		{"no job", recorded.Body("no-job.backends"), `{"MSR":false,"HugePages":[0,0],"Threads":null}`, 0},
		{"one thread, paused", recorded.Body("job-paused.backends"), `{"MSR":false,"HugePages":[0,129],"Threads":[0]}`, 0},
		{"one of three stands", `[{"type":"opencl"},{"type":"cpu","msr":true,"hugepages":[1170,1170],"threads":[` +
			`{"hashrate":[500.5,500,500]},{"hashrate":[0.0,0.0,400]},{"hashrate":[null,null,null]}]}]`,
			`{"MSR":true,"HugePages":[1170,1170],"Threads":[500.5,0,null]}`, 1},
		{"all stand", `[{"type":"cpu","threads":[{"hashrate":[0.0,0.0,0.0]},{"hashrate":[0.0,0.0,0.0]}]}]`,
			`{"MSR":false,"HugePages":[0,0],"Threads":[0,0]}`, 0},
		{"no cpu", `[{"type":"opencl"}]`, "parse backends: no cpu backend in it", 0},
		{"cut off", `[{"type":"cpu","thr`, "parse backends: unexpected end of JSON input", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := parseBackends([]byte(tt.body))
			if err != nil {
				if err.Error() != tt.want {
					t.Errorf("%v, want %s", err, tt.want)
				}
				return
			}
			if got, _ := json.Marshal(b); string(got) != tt.want || b.Standing() != tt.standing {
				t.Errorf("%s, %d standing, want %s, %d", got, b.Standing(), tt.want, tt.standing)
			}
		})
	}
}

// A miner that answers nonsense is alive; one that does not answer may not be. The
// one that says nothing at all is in TestHang.
func TestAnswered(t *testing.T) {
	say := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			request(c)
			c.Write([]byte(s))
		}
	}
	closed := listen(t, func(net.Conn) {})
	tests := []struct {
		name, address string
		want          bool
	}{
		{"truncated JSON", listen(t, say("HTTP/1.1 200 OK\r\n\r\n{\"id\":")), true},
		{"truncated answer", listen(t, say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")), true},
		{"no JSON", listen(t, say("HTTP/1.1 200 OK\r\n\r\nhello")), true},
		{"another token", listen(t, say("HTTP/1.1 401 Unauthorized\r\n\r\n")), true},
		{"not HTTP", listen(t, say("SSH-2.0-x\r\n\r\n")), true},
		{"too much", listen(t, say(strings.Repeat("x", maxAnswer+2))), true},
		{"nothing", listen(t, say("")), false},
		{"closed at once", closed, false},
		{"refused", "127.0.0.1:1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := patiently(Client{Address: tt.address}.Summary)
			if err == nil || Answered(err) != tt.want {
				t.Errorf("%v: answered is %v", err, !tt.want)
			}
		})
	}
}
