package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/lines"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// A Host is the journal of one host, as far as it was read.
type Host struct {
	Target executor.Target
	Logs   modules.Logs
	Merger *Merger
	Dialer func() *executor.Dialer // makes one that the caller closes

	up     bool   // the host was reached in the last attempt
	past   bool   // the past was told: what comes now is new
	cursor string // of the last entry that was told
}

// Read tells the merger what the journal has and, with Logs.Follow, what comes
// until ctx ends. Then a host that was reached once and is lost is tried again,
// and goes on behind its last entry.
func (h *Host) Read(ctx context.Context, d *executor.Dialer) error {
	err := h.read(ctx, d)
	if h.Logs.Follow && h.up {
		err = h.retry(ctx, err)
	}
	h.Merger.end(h.Target.Name, err)
	return err
}

// retry reads on after err, for as long as there is hope.
func (h *Host) retry(ctx context.Context, err error) error {
	began := time.Now()
	for wait := executor.ShortestPause; ctx.Err() == nil && !h.hopeless(err); wait = min(2*wait, executor.LongestPause) {
		if h.up {
			h.notify(view.Lost{Name: h.name(), Time: time.Now(), Err: err})
			if time.Since(began) > executor.LongestPause {
				wait = executor.ShortestPause
			}
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		began = time.Now()
		err = h.again(ctx)
	}
	return err
}

// again reads over a connection of its own: the bastion of the first one may
// be lost as well.
func (h *Host) again(ctx context.Context) error {
	d := h.Dialer()
	defer d.Close()
	h.up = false
	return h.read(ctx, d)
}

// hopeless reports whether trying again leads nowhere: journalctl does not
// understand what it is asked for, or the host is another one now.
func (h *Host) hopeless(err error) bool {
	switch hint.KindOf(err) {
	case executor.HostKeyUnknown, executor.HostKeyChanged:
		return true
	case "":
		return !h.begun()
	}
	return false
}

// read tells the merger what the journal has, from where the last reading
// ended.
func (h *Host) read(ctx context.Context, d *executor.Dialer) error {
	shell, _, err := d.Open(ctx, h.Target, executor.OpenOptions{})
	if err != nil {
		return err
	}
	defer shell.Close()
	h.up = true
	logs := h.Logs
	if h.begun() {
		h.notify(view.Back{Name: h.name(), Time: time.Now()})
		logs.Resume, logs.Cursor = true, h.cursor
	}
	var complaint strings.Builder
	c := logs.Command()
	status, err := shell.Stream(ctx, &lines.Writer{Line: h.take}, &complaint, c.Script, c.Args...)
	if err == nil && (status != 0 || h.Logs.Follow) {
		err = fmt.Errorf("read journal: journalctl ended with status %d", status)
		if text := strings.TrimSpace(complaint.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return err
}

// begun reports whether a part of the journal was read already.
func (h *Host) begun() bool { return h.past || h.cursor != "" }

// take is called with each line of the journal.
func (h *Host) take(line []byte) {
	e, err := modules.ParseLogEntry(line)
	if err != nil {
		e = modules.LogEntry{Time: time.Now(), From: "xmrfleet", Text: err.Error()}
	}
	if e.Cursor != "" {
		h.cursor = e.Cursor
	}
	if e.PastEnds {
		h.past = true
		h.notify(nil)
		return
	}
	h.Merger.came <- entry{h.Target.Name, e}
}

func (h *Host) name() view.Name { return h.Merger.names[h.Target.Name] }

func (h *Host) notify(event view.Event) { h.Merger.notify(h.Target.Name, event) }
