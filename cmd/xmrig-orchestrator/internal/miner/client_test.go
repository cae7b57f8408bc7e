package miner

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/internal/recorded"
)

// listen serves each connection with answer and returns its address.
func listen(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return l.Addr().String()
}

// patiently asks again while the answer comes too late only because the machine
// is slow.
func patiently[T any](ask func(context.Context) (T, error)) (T, error) {
	for end := time.Now().Add(time.Minute); ; {
		answer, err := ask(context.Background())
		late := err != nil && strings.HasSuffix(err.Error(), "no answer within 3s")
		if !late || time.Now().After(end) {
			return answer, err
		}
	}
}

// request reads a request up to its empty line.
func request(c net.Conn) string {
	var b strings.Builder
	buf := make([]byte, 512)
	for !strings.Contains(b.String(), "\r\n\r\n") {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return b.String()
}

// http frames a body as XMRig does.
func http(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
}

func TestSummary(t *testing.T) {
	paused := recorded.Body("job-paused.summary")
	whole := http("200 OK", paused)
	tests := []struct {
		name   string
		answer string
		want   string // in the error; "" for success
	}{
		{"as XMRig answers", whole, ""},
		{"HTTP/1.0", strings.Replace(whole, "HTTP/1.1", "HTTP/1.0", 1), ""},
		{"no Content-Length", "HTTP/1.1 200 OK\r\n\r\n" + paused, ""},
		{"no reason", "HTTP/1.1 200\r\n\r\n" + paused, ""},
		{"other case of Content-Length", strings.Replace(whole, "Content-Length", "content-length", 1), ""},
		{"truncated body", whole[:len(whole)-7], fmt.Sprintf("truncated answer: %d of %d bytes", len(paused)-7, len(paused))},
		{"longer than said", whole + "x", "truncated answer"},
		{"truncated header", whole[:40], "truncated answer: no end of its header"},
		{"nothing", "", "truncated answer: no end of its header"},
		{"truncated without a length", "HTTP/1.1 200 OK\r\n\r\n" + paused[:900], "parse summary: unexpected end of JSON input"},
		{"NaN", "HTTP/1.1 200 OK\r\n\r\n" + strings.Replace(paused, "[null, null, null]", "[nan, nan, nan]", 1), "parse summary: invalid character"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", `Transfer-Encoding "chunked": not from XMRig`},
		{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", `Content-Length "1x"`},
		{"too long", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat(" ", maxAnswer), "answer exceeds 262144 bytes"},
		{"header too long", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 500_000) + "\r\n\r\n" + paused, "answer exceeds 262144 bytes"},
		{"without hashrates", http("200 OK", strings.Replace(paused, `"total": [null`, `"sum": [null`, 1)), "no hashrate.total in it"},
		{"hashrates null", http("200 OK", strings.Replace(paused, `[null, null, null]`, `null`, 1)), "no hashrate.total in it"},
		{"hashrates of another type", http("200 OK", strings.Replace(paused, `[null, null, null]`, `["1 kH/s"]`, 1)), "parse summary: json: cannot unmarshal string"},
		{"without shares", http("200 OK", strings.Replace(paused, `"shares_total"`, `"shares"`, 1)), "no results.shares_total in it"},
		{"without a session", http("200 OK", strings.Replace(paused, `"uptime_ms"`, `"age"`, 1)), "no connection.uptime_ms in it"},
		{"no token sent", http("401 Unauthorized", recorded.Body("401")), "401 Unauthorized: its access token is another one"},
		{"wrong token sent", http("403 Forbidden", recorded.Body("403")), "403 Forbidden: its access token is another one"},
		{"wrong path", http("404 Not Found", "{}"), ": 404 Not Found"},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "not an HTTP answer"},
		{"another program's JSON", http("200 OK", "{}"), "no version in it"},
		{"JSON of another shape", http("200 OK", "[]"), "parse summary: json: cannot unmarshal array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address := listen(t, func(c net.Conn) {
				request(c)
				io.WriteString(c, tt.answer)
			})
			s, err := patiently(Client{Address: address}.Summary)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "" && s.Connection.Pool != "127.0.0.1:33333":
				t.Errorf("pool is %q", s.Connection.Pool)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error is\n%v\nwant in it\n%s", err, tt.want)
			case err != nil && !strings.HasPrefix(err.Error(), "miner api "+address+": "):
				t.Errorf("error does not name the API: %v", err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	tests := []struct{ token, want string }{
		{"", "GET /2/summary HTTP/1.0\r\nHost: ADDRESS\r\nConnection: close\r\n\r\n"},
		{"s3cret", "GET /2/summary HTTP/1.0\r\nHost: ADDRESS\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n"},
	}
	for _, tt := range tests {
		got := make(chan string, 1)
		address := listen(t, func(c net.Conn) { got <- request(c) })
		Client{Address: address, Token: tt.token}.Summary(t.Context())
		want := strings.Replace(tt.want, "ADDRESS", address, 1)
		if req := <-got; req != want {
			t.Errorf("request is\n%q\nwant\n%q", req, want)
		}
	}
}

// A miner that accepts and says nothing, or begins and hangs, costs 3 s; its
// error does not name our own port.
func TestHang(t *testing.T) {
	for name, begin := range map[string]string{"silent": "", "half": "HTTP/1.1 200 OK\r\n\r\n{", "drop by drop": "HTTP/1.1 200 OK\r\n\r\n{"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			t.Cleanup(func() { close(done) })
			address := listen(t, func(c net.Conn) {
				_, err := io.WriteString(c, begin)
				for err == nil && name == "drop by drop" {
					time.Sleep(10 * time.Millisecond)
					_, err = io.WriteString(c, " ")
				}
				<-done
			})
			start := time.Now()
			_, err := Client{Address: address}.Summary(t.Context())
			if want := "miner api " + address + ": no answer within 3s"; err == nil || err.Error() != want {
				t.Errorf("error is %v, want %s", err, want)
			}
			if name == "silent" && Answered(err) {
				t.Errorf("%v: answered is true", err)
			}
			if took := time.Since(start); took < timeout || took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}

// A request ends when its context does, not only after the timeout. On a machine
// so busy that this takes as long, it is tried again.
func TestCancel(t *testing.T) {
	for end := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithCancel(t.Context())
		address := listen(t, func(c net.Conn) {
			cancel()
			io.Copy(io.Discard, c)
		})
		start := time.Now()
		if _, err := (Client{Address: address}).Summary(ctx); err == nil {
			t.Error("no error")
		}
		took := time.Since(start)
		if took < timeout {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("took %v", took)
		}
	}
}

func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = patiently(Client{Address: address}.Summary)
	if want := "miner api " + address + ": connection refused"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// A connection reset in mid-answer is an error, however much came before.
func TestReset(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		request(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n{")
		c.(*net.TCPConn).SetLinger(0)
	})
	_, err := patiently(Client{Address: address}.Summary)
	if want := "miner api " + address + ": connection reset by peer"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
