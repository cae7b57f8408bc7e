package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"xmrfleet/modules"
)

// Stream runs a command that lives no longer than the connection, and hands on
// what it prints as it comes; the two writers are used concurrently. It
// returns the command's exit status, or [Unknown] and an error of type
// [*Error].
//
// When ctx ends, and when the connection does, the host sends SIGTERM to the
// command and all its children that did not leave its process group, and
// SIGKILL after two seconds. It notices a cut link after half a minute.
//
// The command has a process group and session of its own, nothing to read, and
// other users of the host can see it. Stream ends the shell: only Close may
// follow.
func (s *Shell) Stream(ctx context.Context, stdout, stderr io.Writer, script string, args ...string) (int, error) {
	release, err := acquire(ctx, s.turn)
	if err != nil {
		return Unknown, givenUp("run command", err)
	}
	defer s.Close()
	defer release()
	if err := sendable([]modules.Command{{Script: script, Args: args}}); err != nil {
		return Unknown, err
	}
	f := &frame{}
	f.script.WriteString(streamScript)
	s.busy(ctx, f)
	silence := strconv.FormatFloat(s.dialer.timing.stale.Seconds(), 'f', -1, 64)
	f.call(append([]string{"stream", silence, script}, args...)...)
	f.end()
	s.live[0].open(stdout)
	s.live[1].open(stderr)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		s.send(ctx, f)
		s.nudge(ended)
	}()
	results, err := s.collect(ctx, 1, nil)
	var failure *Error
	if errors.As(err, &failure) && failure.Reason == TimedOut {
		failure.Err = fmt.Errorf("%w; the host ends it", context.Cause(ctx))
	}
	return results[0].Status, err
}

// nudge writes a byte from time to time: the host ends a streaming command when
// none comes.
func (s *Shell) nudge(ended <-chan struct{}) {
	ticker := time.NewTicker(s.dialer.timing.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
			s.stdin.Write([]byte(".")) // an error: the connection has ended
		}
	}
}

// A tap takes what a stream carries, once it is open.
type tap struct {
	mu sync.Mutex
	to io.Writer
}

func (t *tap) open(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to = w
}

// take reports whether the tap is open.
func (t *tap) take(b []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to == nil {
		return false
	}
	if len(b) > 0 {
		t.to.Write(b) // what the writer does not want is lost, as with a closed pipe
	}
	return true
}
