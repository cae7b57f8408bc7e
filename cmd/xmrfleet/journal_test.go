package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor"
)

// Lines as journalctl of systemd 252 writes them.
func TestParseEntry(t *testing.T) {
	at := time.UnixMicro(1795314667123456)
	for line, want := range map[string]entry{
		`{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795314667123456","_BOOT_ID":"b","SYSLOG_IDENTIFIER":"xmrig","MESSAGE":"new job"}`: {host: "m1", time: at, from: "xmrig", text: "new job", cursor: "s=1"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","SYSLOG_IDENTIFIER":"xmrig","MESSAGE":[27,91,49,109,110,101,116,27,91,48,109]}`:   {host: "m1", time: at, from: "xmrig", text: "\x1b[1mnet\x1b[0m"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","SYSLOG_IDENTIFIER":["a","b"],"MESSAGE":["one",[116,119,111]]}`:                   {host: "m1", time: at, from: "a", text: "one"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","MESSAGE":null}`:                                                                  {host: "m1", time: at},
		`{"__REALTIME_TIMESTAMP":"1795314667123456"}`:                                                                                 {host: "m1", time: at},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","MESSAGE":[[27,255],"x"]}`:                                                        {host: "m1", time: at, text: "\x1b\xff"},
		`{"TOLD":"s=2;i=3"}`: {host: "m1", cursor: "s=2;i=3", end: true},
		`{"TOLD":""}`:        {host: "m1", end: true},
	} {
		if got, err := parseEntry("m1", []byte(line)); got != want || err != nil {
			t.Errorf("%s\n got %+v, %v\nwant %+v", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		`-- No entries --`:  "read journal: invalid character '-' in numeric literal",
		`{"MESSAGE":"new"}`: `read journal: an entry has no time: "{\"MESSAGE\":\"new\"}"`,
	} {
		if _, err := parseEntry("m1", []byte(line)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

func TestSinceWhen(t *testing.T) {
	for text, want := range map[string]string{
		"15m": "-900000000us", "1h30m": "-5400000000us", "yesterday": "yesterday", "2026-11-22 02:00": "2026-11-22 02:00", "-5m": "-5m", "1 hour ago": "1 hour ago",
	} {
		if got := sinceWhen(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestJournalctl(t *testing.T) {
	five := 5
	for _, test := range []struct {
		logsCmd
		script string
		want   string
	}{
		{logsCmd{}, logScript, "--unit=xmrig.service --lines=20"},
		{logsCmd{Agent: true, Lines: &five}, logScript, "--unit=xmrig-orchestrator.service --lines=5"},
		{logsCmd{Since: "1h"}, logScript, "--unit=xmrig.service --since=-3600000000us"},
		{logsCmd{Since: "today; id", Lines: &five}, lastScript, "--unit=xmrig.service --lines=5 --since=today; id"},
		{logsCmd{Follow: true}, followScript, "--unit=xmrig.service"},
	} {
		script, args := test.journalctl()
		_, got, _ := strings.Cut(strings.Join(args, " "), "SYSLOG_IDENTIFIER ")
		if script != test.script || got != test.want {
			t.Errorf("%+v: got %s", test.logsCmd, got)
		}
	}
}

func TestResumption(t *testing.T) {
	for _, test := range []struct{ cursor, want string }{
		{"s=2;i=3", "--unit=xmrig.service --follow --no-tail --after-cursor=s=2;i=3"},
		{"", "--unit=xmrig.service --follow --no-tail"}, // there was nothing at all
	} {
		r := reading{logsCmd: &logsCmd{Follow: true, Since: "1h"}, told: true, cursor: test.cursor}
		script, args := r.resumption()
		_, got, _ := strings.Cut(strings.Join(args, " "), "SYSLOG_IDENTIFIER ")
		if script != logScript || got != test.want {
			t.Errorf("%q: got %s", test.cursor, got)
		}
	}
}

func TestHopeless(t *testing.T) {
	for _, test := range []struct {
		told bool
		err  error
		want bool
	}{
		{false, errors.New("read journal: journalctl ended with status 1: Failed to parse timestamp"), true},
		{true, errors.New("read journal: journalctl ended with status 143"), false}, // the host goes down
		{false, &executor.Error{Reason: executor.Lost, Err: errors.New("eof")}, false},
		{true, &executor.Error{Reason: executor.AuthRefused, Err: errors.New("the host boots")}, false},
		{true, &executor.Error{Reason: executor.HostKeyChanged, Err: errors.New("another host")}, true},
	} {
		if got := (&reading{told: test.told}).hopeless(test.err); got != test.want {
			t.Errorf("told %v, %v: got %v", test.told, test.err, got)
		}
	}
}

func TestLinewise(t *testing.T) {
	var got []string
	l := &linewise{line: func(text []byte) { got = append(got, string(text)) }}
	for _, part := range []string{"a", "b\nc", "\n\nd\ne", "", "f"} {
		l.Write([]byte(part))
	}
	if want := []string{"ab\n", "c\n", "\n", "d\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	l.flush()
	l.flush()
	if last := got[len(got)-1]; last != "ef" || len(got) != 5 {
		t.Errorf("flushed %q", got)
	}
	got = nil
	l.Write([]byte(strings.Repeat("x", longestLine+1)))
	if len(got) != 1 || len(got[0]) != longestLine+1 {
		t.Errorf("%d parts of a long line", len(got))
	}
}
