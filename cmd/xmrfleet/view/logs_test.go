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
	check(t, out, `
m1       2026-11-22 02:31:07  net  use pool
miner-2  2026-11-22 02:31:07  systemd: Started.
                              and more
`)
	check(t, err, `
m1       2026-11-22 02:31:07  lost: run command: no sign of life for 12s; it is tried again
m1       2026-11-22 02:32:07  back: nothing is left out
  ! dead  connect 10.0.0.9:22: no route to host
      hint: is it on?
`)
	check(t, jsonOf(
		Logged{Name: m1, Time: time.Unix(1, 5000).UTC(), From: "systemd", Text: "\x1b[1mStarted"},
		Lost{Name: m1, Time: at, Err: hint.WithKind(errors.New("no sign of life"), "lost", "")}, Back{Name: m1, Time: at},
		Unheard{Host: "dead", Err: hint.WithKind(errors.New("no route"), "unreachable", "is it on?")}), `
{"type":"log_entry","host":"m1","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"m1: systemd: Started","time":"1970-01-01T00:00:01.000005Z","from":"systemd","text":"Started"}
{"type":"host_lost","host":"m1","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"warn","@message":"m1: no sign of life","error":"no sign of life","kind":"lost"}
{"type":"host_back","host":"m1","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"m1: back"}
{"type":"host_unreachable","host":"dead","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"error","@message":"dead: no route","error":"no route","kind":"unreachable","hint":"is it on?"}
`)
}
