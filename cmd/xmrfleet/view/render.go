package view

import (
	"fmt"
	"io"
	"strings"

	"xmrfleet/modules"
)

// Rendered: the files of a host, as they would be written.
type Rendered struct {
	Host  string
	Files []modules.Rendering
}

func (e Rendered) text(t *Text) {
	if len(e.Files) == 0 {
		fmt.Fprintf(t.Out, "%s gets no files: all of them are to be removed.\n", e.Host)
	}
	for _, f := range e.Files {
		heading := fmt.Sprintf("==> %s:%s  %s %s:%s", e.Host, f.Path, f.Mode, f.Owner, f.Group)
		text := t.Out.bold(heading) + "\n"
		if f.Summary != "" {
			text += "(" + f.Summary + ")\n"
		}
		text += f.Text
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		io.WriteString(t.Out, text+"\n")
	}
}

type fileFields = modules.Rendering

func (e Rendered) lines() []line {
	var lines []line
	for _, f := range e.Files {
		lines = append(lines, fileLine.line(e.Host, "file "+f.Path, f))
	}
	return lines
}
