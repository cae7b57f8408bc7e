package plan

import (
	"crypto/hmac"
	"fmt"
	"slices"
	"strings"

	"xmrfleet/modules/hint"
)

// Stale is the kind of the error of a saved plan, or of a host in it, that is
// not what an apply would do now.
const Stale hint.Kind = "stale"

func stale(why, advice string) error {
	return hint.WithKind(fmt.Errorf("the saved plan is stale: %s", why), Stale, advice)
}

// Unlock checks that the fleet file and all it was read with are the same as
// when the plan was made. Check wants it first.
func (s *Saved) Unlock(in Inputs) error {
	s.key = in.key(s.Salt)
	if !hmac.Equal([]byte(s.sign("inputs")), []byte(s.Inputs)) {
		return stale("the fleet file, a variable or the environment that it reads has changed",
			"use the same --var and environment, or make a new plan with `xmrfleet plan --out FILE`")
	}
	return nil
}

// Check says why a host that was read now must not be changed by this plan, or
// nil. A host with nothing left to do is as the plan would leave it.
func (s *Saved) Check(host string, now *Plan) error {
	var saved SavedHost
	if i := slices.IndexFunc(s.Hosts, func(h SavedHost) bool { return h.Name == host }); i >= 0 {
		saved = s.Hosts[i]
	}
	const again = "make a new plan and read it: `xmrfleet plan --out FILE`"
	switch {
	case now.Empty():
		return nil
	case saved.Fingerprint == "":
		return stale("the host is not in it, or could not be read when it was made", again)
	case !hmac.Equal([]byte(s.fingerprint(host, now)), []byte(saved.Fingerprint)):
		return stale(drift(saved.Changes, savedChanges(now)), again)
	}
	return nil
}

// drift says in what a host differs from its saved plan.
func drift(saved, now []SavedChange) string {
	var words []string
	for _, c := range now {
		if !slices.Contains(saved, c) {
			words = append(words, fmt.Sprintf("%s %s is new", c.Action, c.Resource))
		}
	}
	for _, c := range saved {
		if !slices.Contains(now, c) {
			words = append(words, fmt.Sprintf("%s %s is gone", c.Action, c.Resource))
		}
	}
	if words == nil {
		return "the host moved, and the same changes would do something else now"
	}
	return "the host moved: " + strings.Join(words, ", ")
}
