package view

import (
	"errors"
	"testing"
	"time"

	"xmrfleet/modules/hint"
)

func TestLogged(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 31, 7, 123456789, time.Local)
	m1, miner2 := Name{Host: "m1", Width: 7}, Name{Host: "miner-2", Index: 1, Width: 7}
	out, err := told(
		Logged{Name: m1, Time: at, Text: "\x1b[1;36mnet \x1b[0m use pool\x07"},
		Logged{Name: miner2, Time: at, From: "systemd", Text: "Started.\nand more\n"},
		Lost{Name: m1, Time: at, Err: errors.New("run command: no sign of life for 12s")},
		Back{Name: m1, Time: at.Add(time.Minute)},
		Unheard{Host: "dead", Err: hint.With(errors.New("connect 10.0.0.9:22: no route to host"), "is it on?")})
	check(t, out)
	check(t, err)
	check(t, jsonOf(
		Logged{Name: m1, Time: time.Unix(1, 5000).UTC(), From: "systemd", Text: "\x1b[1mStarted"},
		Lost{Name: m1, Time: at, Err: hint.WithKind(errors.New("no sign of life"), "lost", "")}, Back{Name: m1, Time: at},
		Unheard{Host: "dead", Err: hint.WithKind(errors.New("no route"), "unreachable", "is it on?")}))
}
