package main

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"
)

// An interval is a flag that may stand without its value.
type interval time.Duration

const (
	defaultInterval  = 5 * time.Second
	shortestInterval = time.Second
)

// IsBool lets the parser accept the flag alone.
func (*interval) IsBool() bool { return true }

// Decode takes the value that stands behind "=".
func (i *interval) Decode(ctx *kong.DecodeContext) error {
	*i = interval(defaultInterval)
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("expected a duration as 30s but got %q", text)
	}
	if d < shortestInterval {
		return fmt.Errorf("%s is shorter than %s", d, shortestInterval)
	}
	*i = interval(d)
	return nil
}
