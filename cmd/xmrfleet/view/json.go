package view

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"xmrfleet/modules/printable"
)

// JSONVersion is that of the JSON lines. A minor version adds fields and
// types, which readers ignore; a major one breaks them.
const JSONVersion = "1.1"

// A JSON reports to programs, a line an event, the version first and what
// [Finished] has to tell last: what comes later is dropped. It is safe for
// concurrent use.
type JSON struct {
	Now func() time.Time

	run     string
	mu      sync.Mutex
	w       io.Writer
	secrets *strings.Replacer
	ended   bool
	err     error
}

// NewJSON writes the first line: the versions of the format and of the tool.
func NewJSON(w io.Writer, run, tool string, now func() time.Time) *JSON {
	j := &JSON{Now: now, run: run, w: w, secrets: strings.NewReplacer()}
	j.write(versionLine.line("", "xmrfleet "+tool, versionFields{JSONVersion, tool}))
	return j
}

// Report writes the lines of e.
func (j *JSON) Report(e Event) {
	if l, ok := e.(Loaded); ok {
		j.mu.Lock()
		j.secrets = redactor(l.Secrets)
		j.mu.Unlock()
	}
	j.write(e.lines()...)
	if _, ok := e.(Finished); ok {
		j.mu.Lock()
		j.ended = true
		j.mu.Unlock()
	}
}

// Write takes text for people: each line of it becomes a line of type "log".
func (j *JSON) Write(b []byte) (int, error) {
	var logs []line
	for text := range strings.Lines(string(b)) {
		logs = append(logs, logLine.line("", strings.TrimRight(text, "\n"), noFields{}))
	}
	j.write(logs...)
	return len(b), nil
}

// Err is the first error of writing.
func (j *JSON) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

type versionFields struct {
	UI   string `json:"ui"`
	Tool string `json:"xmrfleet"`
}

// A line is what one line of the output is made from. A [lineType] makes it.
type line struct {
	kind    string // its type
	host    string // empty: it is about no host
	level   string // empty: info
	message string // as a person would be told
	fields  any    // a struct
}

// as gives a line another level than info.
func (l line) as(level string) line {
	l.level = level
	return l
}

const (
	levelWarn  = "warn"
	levelError = "error"
)

// header holds the fields that every line has.
type header struct {
	Type    string `json:"type"`
	Run     string `json:"run_id"`
	Host    string `json:"host,omitempty"`
	Time    string `json:"@timestamp"`
	Level   string `json:"@level"`
	Message string `json:"@message"`
}

func (j *JSON) write(lines ...line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return
	}
	var out bytes.Buffer
	now := j.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	for _, l := range lines {
		if l.level == "" {
			l.level = "info"
		}
		text := header{Type: l.kind, Run: j.run, Host: l.host, Time: now, Level: l.level, Message: printable.Text(j.secrets.Replace(l.message))}
		out.Write(encode(text))
		if fields := masked(encode(l.fields), j.secrets); len(fields) > len("{}") {
			out.Truncate(out.Len() - 1)
			out.WriteByte(',')
			out.Write(fields[1:])
		}
		out.WriteByte('\n')
	}
	if _, err := j.w.Write(out.Bytes()); err != nil && j.err == nil {
		j.err = err
	}
}

// encode leaves <, > and & alone: nobody puts these lines into a page.
func encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // fields are plain types
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// masked replaces secrets in the strings of compact JSON. Names of fields are
// ours and stay, also where a secret is a word like "type".
func masked(text []byte, secrets *strings.Replacer) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		start := bytes.IndexByte(text, '"')
		if start < 0 {
			break
		}
		end := start + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end++
		out = append(out, text[:start]...)
		literal := text[start:end]
		text = text[end:]
		if len(text) == 0 || text[0] != ':' {
			literal = maskedString(literal, secrets)
		}
		out = append(out, literal...)
	}
	return append(out, text...)
}

func maskedString(literal []byte, secrets *strings.Replacer) []byte {
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		panic(err) // encode made it
	}
	if hidden := secrets.Replace(s); hidden != s {
		return encode(hidden)
	}
	return literal
}
