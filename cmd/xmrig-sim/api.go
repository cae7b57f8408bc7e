//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An api is the HTTP API. It speaks HTTP on bare connections: the program
// stays small, and it can give broken answers.
type api struct {
	listen listen
	miner  *miner
	log    *console
	mode   atomic.Value // the value of control.api

	mu       sync.Mutex
	listener net.Listener
	lost     bool // a bind failed; it is never tried again
}

// follow makes the API behave as the mode of a control says.
func (a *api) follow(mode string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mode.Store(mode)
	switch {
	case !a.listen.enabled || a.lost:
	case mode == apiOff && a.listener != nil:
		a.listener.Close()
		a.listener = nil
	case mode != apiOff && a.listener == nil:
		a.bind()
	}
}

// bind starts to listen. XMRig does not try again when the port is in use, and
// runs on without an API (XMRig source Api.cpp:124-161).
func (a *api) bind() {
	l, err := net.Listen("tcp", net.JoinHostPort(a.listen.host, a.listen.port))
	if err != nil {
		a.lost = true
		a.log.item("HTTP API", "%s:%s address already in use", a.listen.host, a.listen.port)
		a.log.printf("net", "HTTP API server failed to start.")
		return
	}
	a.listener = l
	a.log.item("HTTP API", "%s", l.Addr())
	go a.serve(l)
}

func (a *api) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go a.answer(conn)
	}
}

// A request is one of HTTP/1.x with its header names as net/textproto has them.
type request struct {
	method, target string
	header         textproto.MIMEHeader
	body           []byte
}

func (a *api) answer(conn net.Conn) {
	defer conn.Close()
	if a.mode.Load() == apiHang {
		io.Copy(io.Discard, conn)
		return
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	req, err := readRequest(conn)
	if err != nil {
		return
	}
	status, body := a.respond(req)
	conn.Write(a.disturb(status, body))
	for err == nil && a.mode.Load() == apiEndless {
		_, err = conn.Write([]byte(strings.Repeat(" ", 1<<10)))
	}
}

// disturb frames an answer as the mode wants it.
func (a *api) disturb(status int, body []byte) []byte {
	switch a.mode.Load() {
	case apiTruncate:
		body = body[:len(body)/2]
	case apiGarbage:
		status, body = 200, []byte("\x00\xffnot JSON")
	case apiClose:
		return nil
	case apiHeader:
		return bytes.Replace(response(status, body), []byte("\r\n"), []byte("\r\nX-Long: "+strings.Repeat("x", 500_000)+"\r\n"), 1)
	case apiOther:
		body = bytes.ReplaceAll(body, []byte(`"hashrate"`), []byte(`"rates"`))
	}
	return response(status, body)
}

func readRequest(r io.Reader) (request, error) {
	const limit = 1 << 20
	in := textproto.NewReader(bufio.NewReader(io.LimitReader(r, limit)))
	line, err := in.ReadLine()
	if err != nil {
		return request{}, err
	}
	words := strings.Fields(line)
	if len(words) != 3 {
		return request{}, fmt.Errorf("read request: bad line %q", line)
	}
	req := request{method: words[0], target: words[1]}
	if req.header, err = in.ReadMIMEHeader(); err != nil {
		return request{}, err
	}
	length, _ := strconv.ParseInt(req.header.Get("Content-Length"), 10, 64)
	req.body, err = io.ReadAll(io.LimitReader(in.R, length))
	return req, err
}

// reasons are the words that XMRig puts into the bodies of errors.
var reasons = map[int]string{
	200: "OK", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND",
	405: "METHOD_NOT_ALLOWED", 415: "UNSUPPORTED_MEDIA_TYPE",
}

func response(status int, body []byte) []byte {
	reason := strings.ReplaceAll(reasons[status], "_", " ")
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, reason) +
		"Access-Control-Allow-Headers: Authorization, Content-Type\r\n" +
		"Access-Control-Allow-Methods: GET, PUT, POST, DELETE\r\n" +
		"Access-Control-Allow-Origin: *\r\n" +
		"Connection: close\r\n"
	if len(body) > 0 {
		head += fmt.Sprintf("Content-Length: %d\r\nContent-Type: application/json\r\n", len(body))
	}
	return append([]byte(head+"\r\n"), body...)
}

// respond decides in the order of XMRig source Httpd.cpp.
func (a *api) respond(req request) (status int, body []byte) {
	get := req.method == "GET"
	switch {
	case req.method == "OPTIONS":
		return 200, nil
	case get && req.target == "/favicon.ico":
		return 404, nil
	case !get && req.method != "HEAD" && req.method != "POST" && req.method != "PUT" && req.method != "DELETE":
		return failure(405)
	}
	if status := a.authorize(req.header); status != 200 {
		return failure(status)
	}
	if !get && a.listen.restricted {
		return failure(403)
	}
	if !get && req.header.Get("Content-Type") != "application/json" {
		return failure(415)
	}
	return a.route(req)
}

func (a *api) route(req request) (status int, body []byte) {
	switch req.method + " " + req.target {
	case "GET /2/summary":
		return 200, render(a.miner.summary(2, a.listen.restricted))
	case "GET /1/summary", "GET /api.json":
		return 200, render(a.miner.summary(1, a.listen.restricted))
	case "GET /2/backends":
		return 200, render(a.miner.backends())
	case "GET /1/config", "GET /2/config":
		if a.listen.restricted {
			return failure(403)
		}
		return 200, render(a.miner.fullConfig())
	case "POST /json_rpc":
		return 200, render(a.call(req.body))
	}
	return failure(404)
}

// authorize returns 200, 401 or 403 (XMRig source Httpd.cpp:178-198).
func (a *api) authorize(header textproto.MIMEHeader) int {
	given, token := header["Authorization"], a.listen.token
	switch {
	case len(given) == 0 && (token != nil || !a.listen.restricted):
		return 401
	case len(given) == 0:
		return 200
	case token == nil:
		return 401
	case *token == "" || given[0] != "Bearer "+*token:
		return 403
	}
	return 200
}

func (a *api) call(body []byte) object {
	end := func(key string, value object, id any) object {
		return object{{key, value}, {"jsonrpc", "2.0"}, {"id", id}}
	}
	req, err := parse(body)
	if err != nil {
		return end("error", object{{"code", -32700}, {"message", "Parse error"}}, nil)
	}
	method, _ := req.get("method").(string)
	switch {
	case method == "":
		return end("error", object{{"code", -32600}, {"message", "Invalid Request"}}, req.get("id"))
	case !a.miner.call(method):
		return end("error", object{{"code", -32601}, {"message", "Method not found"}}, req.get("id"))
	}
	return end("result", object{{"status", "OK"}}, req.get("id"))
}

func failure(status int) (int, []byte) {
	return status, render(object{{"status", status}, {"error", reasons[status]}})
}
