// Package hint lets an error carry what a person can do about it, and a word
// for programs that says what sort of error it is. Both travel inside of the
// error, through any number of wrappings: whoever prints it asks [Of] and
// [KindOf], and nobody in between has to hand them on.
//
// An error of any package takes part by having the methods of [Hinted]. The package
// neither prints nor decides anything. A new Kind is a constant of the package
// whose errors have it, and a word in README.md, "For programs".
package hint

import "errors"

// A Kind is what programs decide on: "unreachable", "locked", "stale" ... It is
// a part of the JSON lines, so a kind that was released keeps its word.
type Kind string

// Hinted is an error that knows what sort it is and what to do about it; either
// may be empty.
type Hinted interface {
	error
	Kind() Kind
	Hint() string // a sentence or a command, in one or more lines
}

// With returns err with a hint in place of those that it may have. Its kind
// stays.
func With(err error, text string) error { return &hinted{err, KindOf(err), text} }

// WithKind returns err with a kind and a hint.
func WithKind(err error, kind Kind, text string) error { return &hinted{err, kind, text} }

// Of returns what a person can do about err, or "".
func Of(err error) string {
	if h, ok := errors.AsType[Hinted](err); ok {
		return h.Hint()
	}
	return ""
}

// KindOf returns what sort of error err is, or "" if nobody said. It is that of
// nil as well.
func KindOf(err error) Kind {
	if h, ok := errors.AsType[Hinted](err); ok {
		return h.Kind()
	}
	return ""
}

type hinted struct {
	error
	kind Kind
	hint string
}

func (h *hinted) Kind() Kind    { return h.kind }
func (h *hinted) Hint() string  { return h.hint }
func (h *hinted) Unwrap() error { return h.error }
