package main

import "errors"

// mute tells whether a watchdog that reads the hashrate gets none.
func mute(l *life) bool {
	if l.answer() != nil {
		return true
	}
	rate, ok := l.mean(10)
	return !ok || rate == 0
}

// literal is the daemon of the specification.
type literal struct{}

func (literal) calm() bool  { return true }
func (literal) forget(bool) {}

func (literal) poll(l *life) action {
	if err := l.answer(); err != nil {
		if l.up && errors.Is(err, errRefused) {
			return restart
		}
		return nothing
	}
	if rate, ok := l.mean(10); ok && rate == 0 {
		return restart
	}
	return nothing
}

type rigForge struct {
	due     float64
	strikes int // kept in a file
}

func (w *rigForge) calm() bool  { return w.strikes == 0 }
func (w *rigForge) forget(bool) {}

func (w *rigForge) poll(l *life) action {
	if l.t < w.due {
		return nothing
	}
	w.due = l.t + 5*minute
	if !mute(l) {
		w.strikes = 0
		return nothing
	}
	if w.strikes++; w.strikes < 2 {
		return nothing
	}
	w.strikes = 0
	return restart
}

type hiveOS struct {
	good      float64 // as the file's time says
	restarted bool
	rebooted  bool
}

func (w *hiveOS) calm() bool  { return !w.restarted && !w.rebooted }
func (w *hiveOS) forget(bool) {}

func (w *hiveOS) poll(l *life) action {
	if !mute(l) {
		*w = hiveOS{good: l.t}
		return nothing
	}
	switch bad := l.t - w.good; {
	case bad >= 10*minute && !w.rebooted:
		w.rebooted = true
		return reboot
	case bad >= 3*minute && !w.restarted:
		w.restarted = true
		return restart
	}
	return nothing
}

type tari struct{ warnings int }

func (w *tari) calm() bool  { return w.warnings == 0 }
func (w *tari) forget(bool) { w.warnings = 0 }

func (w *tari) poll(l *life) action {
	if l.up && l.t-l.start < 20 {
		return nothing
	}
	if w.warnings++; !mute(l) {
		w.warnings = 0
	}
	if w.warnings < 11 {
		return nothing
	}
	w.warnings = 0
	return restart
}
