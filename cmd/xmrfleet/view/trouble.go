package view

import (
	"strings"

	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// trouble is why something is not as it should be.
type trouble struct {
	Error string    `json:"error,omitempty"`
	Kind  hint.Kind `json:"kind,omitempty"`
	Hint  string    `json:"hint,omitempty"`
}

// troubleOf returns all that err tells; it is empty for nil.
func troubleOf(err error) trouble {
	if err == nil {
		return trouble{}
	}
	return trouble{err.Error(), hint.KindOf(err), hint.Of(err)}
}

// text is what follows the name of the host.
func (t trouble) text() string {
	return indentRest(printable.Text(t.Error), "      ") + "\n" + t.hintLine()
}

// hintLine is what can be done about it, or nothing.
func (t trouble) hintLine() string {
	if t.Hint == "" {
		return ""
	}
	return "      hint: " + indentRest(printable.Text(t.Hint), "      ") + "\n"
}

// failure prints a host that could not be read or changed.
func (p *Printer) failure(out *strings.Builder, host string, err error) {
	p.failures(out, []hostFailure{{host, troubleOf(err).text()}})
}

// Unheard: a host could not be asked, or its journal is not heard any more.
type Unheard struct {
	Host string
	Err  error
}

func (e Unheard) text(t *Text) {
	var out strings.Builder
	t.Err.failure(&out, e.Host, e.Err)
	t.Err.Write([]byte(out.String()))
}

func (e Unheard) lines() []line {
	return []line{hostUnreachableLine.line(e.Host, e.Host+": "+e.Err.Error(), troubleOf(e.Err)).as(levelError)}
}
