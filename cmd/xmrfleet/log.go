package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"xmrfleet/modules/printable"
)

// A logHandler prints records for a person at the terminal: the host that it is
// about, the message, and the attributes behind it.
type logHandler struct {
	w     io.Writer
	level slog.Level
}

func (h logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		switch value := a.Value.String(); {
		case a.Key == "host":
			text = value + ": " + text
		case value != "":
			text += fmt.Sprintf("  %s %s", a.Key, value)
		}
		return true
	})
	if r.Level >= slog.LevelWarn {
		text = "warning: " + text
	}
	_, err := io.WriteString(h.w, strings.ReplaceAll(strings.TrimSpace(printable.Text(text)), "\n", "\n  ")+"\n")
	return err
}

// The executor uses neither groups nor loggers of its own.
func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h logHandler) WithGroup(string) slog.Handler      { return h }
