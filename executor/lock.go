package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/printable"
)

// A Holder is who holds the lock of a host.
type Holder struct {
	User    string `json:"user"`
	Machine string `json:"machine"` // where xmrfleet runs
	PID     int    `json:"pid"`
	Run     string `json:"run"`
	Command string `json:"command"` // "xmrfleet apply"

	// Host is the name under which the holder knows the locked host; empty if
	// it did not say.
	Host string `json:"host,omitempty"`

	Held time.Duration `json:"-"` // how long ago the lock was taken

	pid   string        // of the loader, on the host
	start string        // its start time, in clock ticks since the boot
	busy  bool          // a frame runs
	over  time.Duration // since the last beat, or since the frame's deadline
}

func (h *Holder) String() string {
	return fmt.Sprintf("%s@%s: %s, run %s, pid %d, for %s", h.User, h.Machine, h.Command, h.Run, h.PID, h.Held)
}

// The status of the lock mark; see lock.sh.
const (
	lockTaken = "lock 0"
	lockHeld  = "lock 75"
)

// parseHolder reads what lock.sh prints when the lock is held: the host's
// uptime, the holder as JSON, and the loader's pid, start time, the uptime when
// it took the lock, busy or idle, and the uptime of the deadline or last beat.
// The record counts from the boot of the host, whose clock may be wrong. It
// returns nil where the record's writer is gone, and the lock is another's.
func parseHolder(text string) *Holder {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 3 {
		return nil
	}
	var h Holder
	words := strings.Fields(lines[2])
	if json.Unmarshal([]byte(lines[1]), &h) != nil || len(words) != 5 {
		return nil
	}
	var up, since, mark float64
	for i, word := range []string{lines[0], words[2], words[4]} {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil
		}
		*[]*float64{&up, &since, &mark}[i] = n
	}
	h.pid, h.start, h.busy = words[0], words[1], words[3] == "busy"
	h.Held = time.Duration(up-since) * time.Second
	h.over = time.Duration((up - mark) * float64(time.Second))
	return &h
}

// lockCall adds to a frame the line that takes the lock.
func (s *Shell) lockCall(f *frame) {
	who, _ := json.Marshal(s.lock) // no error: strings and a number
	seconds := strconv.Itoa(int(s.dialer.timing.wait / time.Second))
	f.call("lock", s.dialer.runDir, seconds, string(who))
}

// A lockRefusal is the error of a frame that could not take the lock.
type lockRefusal struct {
	mark   string
	stdout string // the record of the holder, if there is one
	stderr string
}

func (l *lockRefusal) Error() string { return l.mark }

// locked ends the holder of the lock if it has been silent for too long, and
// returns nil; the lock can be taken then. Otherwise it returns the error.
func (s *Shell) locked(ctx context.Context, found *lockRefusal) error {
	refuse := &Error{Reason: Locked, Op: "lock " + s.dialer.runDir}
	if found.mark != lockHeld {
		refuse.Reason, refuse.Err = NoShell, errors.New(printable.Line(found.stderr))
		return refuse
	}
	h := parseHolder(found.stdout)
	if h == nil {
		refuse.Err = errors.New("held by a process that left no record, perhaps the health agent at work")
		refuse.Advice = "try again in a moment"
		return refuse
	}
	refuse.Holder, refuse.Err = h, fmt.Errorf("held by %s", h)
	refuse.Advice = h.hint(s.dialer.timing.stale)
	if h.over < s.dialer.timing.stale {
		return refuse
	}
	state := "idle"
	if h.busy {
		state = "overdue"
	}
	s.dialer.Log.Warn("the holder of the lock is gone, ending it", "host", s.name, "holder", h, "silent", h.over)
	ended, err := s.Run(ctx, nil, modules.Command{Script: takeoverScript, Args: []string{h.pid, h.start, state}})
	if err != nil {
		return err
	}
	if ended[0].Status != 0 {
		return refuse
	}
	return nil
}

// hint says how long a run that died may hold the lock: for stale after its
// last beat, or after the deadline of the frame that it left running.
func (h *Holder) hint(stale time.Duration) string {
	if left := stale - h.over; h.busy && left > 0 {
		return fmt.Sprintf("wait until it is done; even a run that died finishes what it has begun, for %s at most", left.Round(time.Second))
	}
	return fmt.Sprintf("wait until it is done; a run that died loses the lock after %s", stale)
}

// beat runs an empty frame from time to time: the host records that the holder of
// its lock is alive.
func (s *Shell) beat() {
	ticker := time.NewTicker(s.dialer.timing.beat)
	defer ticker.Stop()
	for {
		select {
		case <-s.conn.ended:
			return
		case <-s.closing:
			return
		case <-ticker.C:
		}
		select {
		case s.turn <- struct{}{}:
		default:
			continue // a frame runs: the record says until when
		}
		var f frame
		f.end()
		ctx, cancel := context.WithTimeout(context.Background(), s.dialer.timing.stale)
		s.exchange(ctx, &f, 0, nil) // an error ends the connection
		cancel()
		<-s.turn
	}
}
