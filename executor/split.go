package executor

import (
	"bytes"
	"fmt"
	"io"
)

// maxOutput is how much is kept of what a command prints to one stream.
const maxOutput = 1 << 20

// A segment is what a stream carried up to one of our marks.
type segment struct {
	text string
	mark string // without the nonce
}

// split reads r to its end and sends what it finds between marks, apart from
// what live takes. It always reads on, however much a command prints, and
// closes segments in the end. What follows the last mark is sent with an empty
// mark.
func split(r io.Reader, mark string, live *tap, segments chan<- segment) {
	defer close(segments)
	var (
		kept    []byte // of the present segment
		dropped int64
		window  []byte // not yet known to be free of a mark
		buf     = make([]byte, 8<<10)
	)
	keep := func(b []byte) {
		if live.take(b) {
			return
		}
		n := min(len(b), maxOutput-len(kept))
		kept = append(kept, b[:n]...)
		dropped += int64(len(b) - n)
	}
	send := func(mark string) {
		text := string(kept)
		if dropped > 0 {
			text += fmt.Sprintf("\n(truncated: %d bytes more)\n", dropped)
		}
		segments <- segment{text, mark}
		kept, dropped = nil, 0
	}
	for {
		n, err := r.Read(buf)
		window = append(window, buf[:n]...)
		for {
			at := bytes.Index(window, []byte(mark))
			if at < 0 {
				break
			}
			end := bytes.IndexByte(window[at:], '\n')
			if end < 0 {
				break
			}
			keep(window[:at])
			send(string(bytes.TrimSpace(window[at+len(mark) : at+end])))
			window = window[at+end+1:]
		}
		if at := bytes.Index(window, []byte(mark)); at < 0 {
			safe := len(window) - overlap(window, mark)
			keep(window[:safe])
			window = append(window[:0:0], window[safe:]...)
		}
		if err != nil {
			keep(window)
			if len(kept) > 0 {
				send("")
			}
			return
		}
	}
}

// overlap is how many bytes at the end of b may be the beginning of mark.
func overlap(b []byte, mark string) int {
	for n := min(len(b), len(mark)-1); n > 0; n-- {
		if string(b[len(b)-n:]) == mark[:n] {
			return n
		}
	}
	return 0
}
