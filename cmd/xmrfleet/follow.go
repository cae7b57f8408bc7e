package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// A reading is the journal of one host, as far as it was read.
type reading struct {
	*logsCmd
	host   hcl.Host
	tail   *tail
	up     bool   // the host was reached in the last attempt
	told   bool   // the past was told: what comes now is new
	cursor string // of the last entry that was told
}

// A host that is lost is tried again after a pause, each twice the last.
const (
	shortestPause = time.Second
	longestPause  = 30 * time.Second
)

// follow reads until ctx ends. A host that was reached once and is lost is
// tried again, and goes on behind its last entry.
func (r *reading) follow(ctx context.Context, d *executor.Dialer) error {
	began := time.Now()
	err := r.read(ctx, d)
	if !r.up {
		return err
	}
	for wait := shortestPause; ctx.Err() == nil && !r.hopeless(err); wait = min(2*wait, longestPause) {
		if r.up {
			r.tail.say(r.host.Name, view.Lost{Name: r.tail.names[r.host.Name], Time: time.Now(), Err: err})
			if time.Since(began) > longestPause {
				wait = shortestPause
			}
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		began = time.Now()
		err = r.again(ctx)
	}
	return err
}

// again reads over a connection of its own: the bastion of the first one may
// be lost as well.
func (r *reading) again(ctx context.Context) error {
	d := r.dialer(r.tail.p.err)
	defer d.Close()
	r.up = false
	return r.read(ctx, d)
}

// hopeless reports whether trying again leads nowhere: journalctl does not
// understand what it is asked for, or the host is another one now.
func (r *reading) hopeless(err error) bool {
	switch hint.KindOf(err) {
	case executor.HostKeyUnknown, executor.HostKeyChanged:
		return true
	case "":
		return !r.begun()
	}
	return false
}

// read tells the tail what the journal has, from where the last reading ended.
func (r *reading) read(ctx context.Context, d *executor.Dialer) error {
	shell, _, err := d.Open(ctx, target(r.host), executor.OpenOptions{})
	if err != nil {
		return err
	}
	defer shell.Close()
	r.up = true
	if r.begun() {
		r.tail.say(r.host.Name, view.Back{Name: r.tail.names[r.host.Name], Time: time.Now()})
	}
	script, args := r.journalctl()
	if r.begun() {
		script, args = r.resumption()
	}
	var complaint strings.Builder
	status, err := shell.Stream(ctx, &linewise{line: r.take}, &complaint, script, args...)
	if err == nil && (status != 0 || r.Follow) {
		err = fmt.Errorf("read journal: journalctl ended with status %d", status)
		if text := strings.TrimSpace(complaint.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return err
}

// begun reports whether a part of the journal was read already.
func (r *reading) begun() bool { return r.told || r.cursor != "" }

// resumption is the script that reads what came behind the last entry.
func (r *reading) resumption() (script string, args []string) {
	args = append(r.journal(), "--follow", "--no-tail")
	if r.cursor != "" {
		args = append(args, "--after-cursor="+r.cursor)
	}
	return logScript, args
}

// take is called with each line of the journal.
func (r *reading) take(line []byte) {
	e, err := parseEntry(r.host.Name, line)
	if err != nil {
		e = entry{host: r.host.Name, time: time.Now(), from: "xmrfleet", text: err.Error()}
	}
	if e.cursor != "" {
		r.cursor = e.cursor
	}
	if e.end {
		r.told = true
		r.tail.say(r.host.Name, nil)
		return
	}
	r.tail.came <- e
}
