package executor

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"al.essio.dev/pkg/shellescape"

	"xmrfleet/modules"
)

// The scripts that make a shell on the host.
//
// feed.sh is what the exec request runs, as the user who logged in. It
// pipes the first frame, which came inside the request, and then its standard
// input into a loader that runs as root. Behind the loader stand two drains,
// so that a command does not fail for want of a reader after the connection
// is lost. sudo's log gets nothing but the constant loader. A login shell is
// the same without sudo.
//
// The loader reads frames: the length of a script in bytes, a newline, the
// script, and directly after it the payloads that the script reads. A script
// that arrives in part is not run. USR1 ends the loader after the frame.
//
// prelude.sh begins the first frame and defines what frames consist of; lock.sh
// follows it where a lock is wanted; takeover.sh ends a holder that is gone;
// stream.sh runs a command that lives no longer than the connection.
var (
	//go:embed feed.sh
	feedScript string
	//go:embed prelude.sh
	preludeScript string
	//go:embed lock.sh
	lockScript string
	//go:embed takeover.sh
	takeoverScript string
	//go:embed stream.sh
	streamScript string
)

// A nonce begins every line that is ours among the output of commands. The
// two halves never stand side by side in a list of processes.
type nonce [2]string

// newNonce begins with a character at which hardly any output stops: what may be
// the beginning of a mark is held back until more comes.
func newNonce() nonce {
	var b [24]byte
	rand.Read(b[:]) // never returns an error
	s := hex.EncodeToString(b[:])
	return nonce{"_" + s[:24], s[24:]}
}

func (n nonce) String() string { return n[0] + n[1] }

// maxExec bounds the exec request: Linux gives one argument 128 KiB, and the
// login shell gets it all in one.
const maxExec = 96 << 10

// execLine is what the login shell is asked to run. That may be any shell, so
// there is nothing inside the quotes that one of them expands; and its rc files
// may set any PATH, so path is set again. as is who the shell belongs to: "root"
// or "login". first is the first frame; empty if it comes through standard input.
func execLine(n nonce, path, as string, first []byte) string {
	frame := ""
	if len(first) > 0 {
		frame = pack(first)
	}
	return fmt.Sprintf(`exec /bin/sh -c 'PATH=$4; eval "$(printf %%s %s | base64 -d | gzip -dc)"' xmrfleet %s %s '%s' %s %s`,
		feed(), n[0], n[1], frame, path, as)
}

var feed = sync.OnceValue(func() string { return pack([]byte(feedScript)) })

// pack turns data into text without a character that is special to a login shell.
func pack(data []byte) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // no error: the level is valid
	w.Write(data)                                         // no error: a buffer takes all
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// A frame is a script and the payloads that it reads. The loader runs it as a
// whole.
type frame struct {
	script   strings.Builder
	payloads [][]byte // as they travel
	size     int
}

func (f *frame) end() { f.script.WriteString("note idle 0\nmark idle\n") }

// call adds a line that calls a function of the prelude.
func (f *frame) call(words ...string) {
	for i, word := range words {
		if i > 0 {
			f.script.WriteByte(' ')
		}
		f.script.WriteString(shellescape.Quote(word))
	}
	f.script.WriteByte('\n')
}

// sendable returns an error if there is a command that no shell can carry.
func sendable(cmds []modules.Command) error {
	for _, c := range cmds {
		for i, word := range append([]string{c.Script}, c.Args...) {
			if strings.IndexByte(word, 0) >= 0 {
				return &Error{Reason: BadConfig, Op: "send command",
					Err: fmt.Errorf("argument %d has a NUL byte, which no shell can carry", i)}
			}
		}
	}
	return nil
}

func (f *frame) add(cmds []modules.Command) {
	for _, c := range cmds {
		words := append([]string{c.Script}, c.Args...)
		if c.Stdin == nil {
			f.call(append([]string{"step"}, words...)...)
			continue
		}
		payload := c.Stdin.Gzip()
		f.call(append([]string{"load", strconv.Itoa(len(payload))}, words...)...)
		f.payloads = append(f.payloads, payload)
		f.size += len(payload)
	}
}

// reader returns the bytes that travel. It copies no payload.
func (f *frame) reader() io.Reader {
	parts := []io.Reader{strings.NewReader(fmt.Sprintf("%d\n%s", f.script.Len(), f.script.String()))}
	for _, p := range f.payloads {
		parts = append(parts, bytes.NewReader(p))
	}
	return io.MultiReader(parts...)
}
