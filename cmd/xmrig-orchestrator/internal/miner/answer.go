package miner

import "errors"

// An answerError says that there was an answer, but a useless one.
type answerError struct{ error }

func (e answerError) Unwrap() error { return e.error }

// Answered tells whether an error of a Client is about an answer: it was truncated,
// no JSON, or refused the request. A miner that gives such answers is not dead:
// XMRig 6.20 to 6.22.1 sent truncated JSON while they mined on.
func Answered(err error) bool {
	var a answerError
	return errors.As(err, &a)
}
