package main

import (
	"errors"
	"fmt"

	"xmrfleet/executor"
	"xmrfleet/modules/hint"
)

// refuseTwice gives up hosts that are one machine under two names: each apply
// would make it the one, and then the other. It is proven by what the machine
// says of itself, or by its lock, which this very run holds.
func refuseTwice(sessions []*session, run string) {
	named := make(map[string]*session)
	for _, s := range sessions {
		named[s.host.Name] = s
	}
	var pairs [][2]*session
	for i, s := range sessions {
		if h := holderOf(s.err); h != nil && h.Run == run && named[h.Host] != nil {
			pairs = append(pairs, [2]*session{named[h.Host], s})
		}
		for _, other := range sessions[:i] {
			if s.plan != nil && other.plan != nil && s.plan.Facts.SameMachine(other.plan.Facts) {
				pairs = append(pairs, [2]*session{other, s})
			}
		}
	}
	for _, pair := range pairs {
		for i, s := range pair {
			s.close()
			s.err = hint.With(fmt.Errorf("this is the same machine as %s", pair[1-i].host.Name), "remove one of the names from the fleet file")
		}
	}
}

// holderOf is who holds the lock that could not be taken, or nil.
func holderOf(err error) *executor.Holder {
	if e, ok := errors.AsType[*executor.Error](err); ok {
		return e.Holder
	}
	return nil
}
