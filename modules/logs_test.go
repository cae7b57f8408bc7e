package modules

import (
	"strings"
	"testing"
	"time"
)

// Lines as journalctl of systemd 252 writes them.
func TestParseLogEntry(t *testing.T) {
	at := time.UnixMicro(1795314667123456)
	for line, want := range map[string]LogEntry{
		`{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795314667123456","_BOOT_ID":"b","SYSLOG_IDENTIFIER":"xmrig","MESSAGE":"new job"}`: {Time: at, From: "xmrig", Text: "new job", Cursor: "s=1"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","SYSLOG_IDENTIFIER":"xmrig","MESSAGE":[27,91,49,109,110,101,116,27,91,48,109]}`:   {Time: at, From: "xmrig", Text: "\x1b[1mnet\x1b[0m"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","SYSLOG_IDENTIFIER":["a","b"],"MESSAGE":["one",[116,119,111]]}`:                   {Time: at, From: "a", Text: "one"},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","MESSAGE":null}`:                                                                  {Time: at},
		`{"__REALTIME_TIMESTAMP":"1795314667123456"}`:                                                                                 {Time: at},
		`{"__REALTIME_TIMESTAMP":"1795314667123456","MESSAGE":[[27,255],"x"]}`:                                                        {Time: at, Text: "\x1b\xff"},
		`{"TOLD":"s=2;i=3"}`: {Cursor: "s=2;i=3", PastEnds: true},
		`{"TOLD":""}`:        {PastEnds: true},
	} {
		if got, err := ParseLogEntry([]byte(line)); got != want || err != nil {
			t.Errorf("%s\n got %+v, %v\nwant %+v", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		`-- No entries --`:  "read journal: invalid character '-' in numeric literal",
		`{"MESSAGE":"new"}`: `read journal: an entry has no time: "{\"MESSAGE\":\"new\"}"`,
	} {
		if _, err := ParseLogEntry([]byte(line)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

func TestSinceTime(t *testing.T) {
	for text, want := range map[string]string{
		"15m": "-900000000us", "1h30m": "-5400000000us", "yesterday": "yesterday", "2026-11-22 02:00": "2026-11-22 02:00", "-5m": "-5m", "1 hour ago": "1 hour ago",
	} {
		if got := sinceTime(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestLogs(t *testing.T) {
	for _, test := range []struct {
		Logs
		script string
		want   string
	}{
		{Logs{Unit: "xmrig.service", Lines: 20}, logScript, "--unit=xmrig.service --lines=20"},
		{Logs{Unit: "xmrig-orchestrator.service", Lines: 5}, logScript, "--unit=xmrig-orchestrator.service --lines=5"},
		{Logs{Unit: "xmrig.service", Lines: AllLines, Since: "1h"}, logScript, "--unit=xmrig.service --since=-3600000000us"},
		{Logs{Unit: "xmrig.service", Lines: 5, Since: "today; id"}, lastScript, "--unit=xmrig.service --lines=5 --since=today; id"},
		{Logs{Unit: "xmrig.service", Lines: 20, Follow: true}, followScript, "--unit=xmrig.service"},
		{Logs{Unit: "xmrig.service", Follow: true, Since: "1h", Resume: true, Cursor: "s=2;i=3"}, logScript, "--unit=xmrig.service --follow --no-tail --after-cursor=s=2;i=3"},
		{Logs{Unit: "xmrig.service", Follow: true, Since: "1h", Resume: true}, logScript, "--unit=xmrig.service --follow --no-tail"}, // there was nothing at all
	} {
		c := test.Command()
		_, got, _ := strings.Cut(strings.Join(c.Args, " "), "SYSLOG_IDENTIFIER ")
		if c.Script != test.script || got != test.want {
			t.Errorf("%+v: got %s", test.Logs, got)
		}
	}
}
