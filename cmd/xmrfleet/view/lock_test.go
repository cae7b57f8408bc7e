package view

import (
	"errors"
	"testing"
	"time"

	"xmrfleet/executor"
	"xmrfleet/modules/hint"
)

func TestLocked(t *testing.T) {
	ann := &executor.Holder{User: "ann", Machine: "laptop", PID: 7, Run: "7f3a", Command: "xmrfleet apply", Host: "rig-1", Held: 3 * time.Minute}
	waiting := Waiting{Time: time.Date(2026, 11, 22, 2, 31, 7, 0, time.Local), Left: 5 * time.Minute,
		Held: []Held{{"m1", ann}, {"old", nil}, {"m2", ann}, {"m3", ann}}}
	locked := LockedOut{Hosts: 4, Held: 1, Took: time.Second, Failed: []Unheard{
		{"m1", hint.WithKind(errors.New("lock /run/xmrfleet: held by ann@laptop: xmrfleet apply, run 7f3a, pid 7, for 3m0s"), executor.Locked, "wait until it is done")},
		{"m9", hint.WithKind(errors.New("connect m9:22: no route to host"), executor.Unreachable, "")}}}
	out, err := told(waiting, locked)
	check(t, out)
	check(t, err)
	check(t, jsonOf(waiting, locked))
}
