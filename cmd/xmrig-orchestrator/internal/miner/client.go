// Package miner reads XMRig's HTTP API: the summary (summary.go) and the CPU
// backend (backends.go). It only reads, and speaks just enough HTTP for that: the
// standard library's client would add a third to the agent's memory.
//
// Another figure of an answer is a field of Summary or Backends. If the agent
// cannot decide without it, Summary.missing has to name it.
package miner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	timeout = 3 * time.Second
	// maxAnswer is twice the size of XMRig's answer with 512 threads.
	maxAnswer = 256 << 10
)

// A Client asks one miner's API. If Token is "", it sends no Authorization header:
// an XMRig that has no token answers 401 to any such header (XMRig source
// Httpd.cpp:178-198).
type Client struct {
	Address string // host:port
	Token   string
}

// Summary asks for /2/summary, and waits for at most 3 s. The same cause is always
// the same error text.
func (c Client) Summary(ctx context.Context) (*Summary, error) {
	body, err := c.get(ctx, "/2/summary")
	if err != nil {
		return nil, fmt.Errorf("miner api %s: %w", c.Address, err)
	}
	s, err := Parse(body)
	if err != nil {
		return nil, fmt.Errorf("miner api %s: %w", c.Address, err)
	}
	return s, nil
}

// get returns the body of the answer to one request.
func (c Client) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := c.exchange(ctx, path)
	if err != nil {
		return nil, cause(ctx, err)
	}
	body, err := parseAnswer(raw)
	if err != nil && len(raw) > 0 {
		err = answerError{err}
	}
	return body, err
}

// exchange sends one request and returns all that comes back until the miner
// closes the connection, as XMRig does after each answer.
func (c Client) exchange(ctx context.Context, path string) ([]byte, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	var req strings.Builder
	fmt.Fprintf(&req, "GET %s HTTP/1.0\r\nHost: %s\r\n", path, c.Address)
	if c.Token != "" {
		fmt.Fprintf(&req, "Authorization: Bearer %s\r\n", c.Token)
	}
	req.WriteString("Connection: close\r\n\r\n")
	if _, err := io.WriteString(conn, req.String()); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(conn, maxAnswer+1))
	if err == nil && len(raw) > maxAnswer {
		err = answerError{fmt.Errorf("answer exceeds %d bytes", maxAnswer)}
	}
	return raw, err
}

// cause cuts from a network error what is another each time, such as the port of
// this end.
func cause(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer within %v", timeout)
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// parseAnswer returns the body of an HTTP answer.
func parseAnswer(raw []byte) ([]byte, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("truncated answer: no end of its header")
	}
	line, fields, _ := strings.Cut(string(head), "\r\n")
	if err := parseStatus(line); err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(fields, "\r\n") {
		key, value, _ := strings.Cut(field, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "transfer-encoding":
			return nil, fmt.Errorf("answer with Transfer-Encoding %q: not from XMRig", value)
		case "content-length":
			n, err := strconv.Atoi(value)
			if err != nil {
				return nil, fmt.Errorf("answer with Content-Length %q", value)
			}
			if n != len(body) {
				return nil, fmt.Errorf("truncated answer: %d of %d bytes", len(body), n)
			}
		}
	}
	return body, nil
}

func parseStatus(line string) error {
	version, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(rest, " ")
	if _, err := strconv.ParseUint(code, 10, 16); err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return errors.New("not an HTTP answer")
	}
	switch code {
	case "200":
		return nil
	case "401", "403":
		return fmt.Errorf("%s %s: its access token is another one than the agent's", code, reason)
	}
	return fmt.Errorf("%s %s", code, reason)
}
