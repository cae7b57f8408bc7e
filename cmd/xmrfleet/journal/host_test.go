package journal

import (
	"errors"
	"testing"

	"xmrfleet/executor"
)

func TestHopeless(t *testing.T) {
	for _, test := range []struct {
		past bool
		err  error
		want bool
	}{
		{false, errors.New("read journal: journalctl ended with status 1: Failed to parse timestamp"), true},
		{true, errors.New("read journal: journalctl ended with status 143"), false}, // the host goes down
		{false, &executor.Error{Reason: executor.Lost, Err: errors.New("eof")}, false},
		{true, &executor.Error{Reason: executor.AuthRefused, Err: errors.New("the host boots")}, false},
		{true, &executor.Error{Reason: executor.HostKeyChanged, Err: errors.New("another host")}, true},
	} {
		if got := (&Host{past: test.past}).hopeless(test.err); got != test.want {
			t.Errorf("past %v, %v: got %v", test.past, test.err, got)
		}
	}
}
