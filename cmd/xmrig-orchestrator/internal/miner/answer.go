package miner

import "errors"

// An answerError is the error of an answer that is of no use.
type answerError struct{ error }

func (e answerError) Unwrap() error { return e.error }

// Answered tells whether an error of a Client means that somebody did answer,
// though with a truncated body, no JSON, or a refusal. XMRig 6.20 to 6.22.1
// sent truncated JSON while they mined on: such a miner is not dead.
func Answered(err error) bool {
	var a answerError
	return errors.As(err, &a)
}
