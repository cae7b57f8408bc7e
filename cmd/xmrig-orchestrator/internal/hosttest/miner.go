package hosttest

import (
	"fmt"
	"net"
	"strings"

	"xmrfleet/cmd/internal/recorded"
)

// serve is the miner's API. It knows the summary only, as a miner without
// backends.
func (h *Host) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		request := make([]byte, 1024)
		n, _ := c.Read(request)
		if !strings.HasPrefix(string(request[:n]), "GET /2/summary ") {
			c.Close()
			continue
		}
		h.asked.Add(1)
		if before := h.before.Load(); before != nil {
			(*before)()
		}
		if broken := h.broken.Load(); broken != nil {
			(*broken)(c)
		} else if a := h.answer.Load(); a != nil {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(*a), *a)
		}
		c.Close()
	}
}

// Summary returns a recorded summary, with other hashrates over 10 s, 60 s and
// 15 min where rates are given.
func (h *Host) Summary(name, rates string) string {
	h.T.Helper()
	text := recorded.Body(name + ".summary")
	if i := strings.Index(text, `"total": [`); rates != "" {
		text = text[:i] + `"total": [` + rates + text[i+strings.Index(text[i:], "]"):]
	}
	return text
}

// Says has the API answer with a Summary.
func (h *Host) Says(name, rates string) {
	h.T.Helper()
	text := h.Summary(name, rates)
	h.answer.Store(&text)
}

// HangUp has the API accept connections and close them.
func (h *Host) HangUp() { h.answer.Store(nil) }

// Break has a function answer in place of the API; nil has the API answer again.
func (h *Host) Break(answer func(net.Conn)) {
	if answer == nil {
		h.broken.Store(nil)
		return
	}
	h.broken.Store(&answer)
}

// BeforeAnswer has a function called before each answer; nil ends that.
func (h *Host) BeforeAnswer(f func()) {
	if f == nil {
		h.before.Store(nil)
		return
	}
	h.before.Store(&f)
}

// Asked is how often the miner was asked for its summary.
func (h *Host) Asked() int64 { return h.asked.Load() }

// Polled waits until the agent has begun a poll and begun the next one: the first
// then saw the host as it was when Polled was called.
func (h *Host) Polled(what string) {
	h.T.Helper()
	n := h.Asked()
	h.Until(func() bool { return h.Asked() >= n+2 },
		func() string { return what + ": the miner is not asked any more" })
}
