package view

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/modules/hint"
)

// Removals: hosts that the fleet file does not name any more, or names in order
// to take everything off them.
type Removals struct {
	Unnamed []Unnamed
	Bare    []string // removed, and nothing is left on them
}

// An Unnamed host was made by an apply of the fleet file that named it.
type Unnamed struct {
	Host    string
	Address string    // empty: its name
	At      time.Time // of the last apply; zero: the file was committed with it
}

func (u Unnamed) err() error {
	block := fmt.Sprintf("removed %q {}", u.Host)
	if u.Address != "" {
		block = fmt.Sprintf("removed %q { address = %q }", u.Host, u.Address)
	}
	if u.At.IsZero() {
		return hint.With(errors.New("the fleet file does not name it any more, and one of its last two commits did; what is on it goes on"),
			block+" takes everything off it; after two commits nobody is reminded")
	}
	return hint.With(fmt.Errorf("the fleet file does not name it any more; it is as the apply of %s left it", u.At.Local().Format(time.DateOnly)),
		block+" takes everything off it, `xmrfleet forget "+u.Host+"` ends this reminder")
}

func bareText(host string) string {
	return fmt.Sprintf("nothing is left on it: the block removed %q can be deleted", host)
}

func (e Removals) text(t *Text) {
	var out strings.Builder
	var unnamed []hostFailure
	for _, u := range e.Unnamed {
		unnamed = append(unnamed, hostFailure{u.Host, troubleOf(u.err()).text()})
	}
	t.Out.failures(&out, unnamed)
	for _, host := range e.Bare {
		fmt.Fprintf(&out, "    %s  %s\n", host, bareText(host))
	}
	io.WriteString(t.Out, out.String())
}

type hostUnnamed struct {
	Address string    `json:"address,omitempty"`
	At      time.Time `json:"last_apply,omitzero"`
	Hint    string    `json:"hint"`
}

func (e Removals) lines() []line {
	var lines []line
	for _, u := range e.Unnamed {
		err := u.err()
		lines = append(lines, hostUnnamedLine.line(u.Host, u.Host+": "+err.Error(), hostUnnamed{u.Address, u.At.UTC(), hint.Of(err)}).as(levelWarn))
	}
	for _, host := range e.Bare {
		lines = append(lines, hostBareLine.line(host, host+": "+bareText(host), noFields{}))
	}
	return lines
}
