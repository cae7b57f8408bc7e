package main

import (
	"strings"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/hosttest"
)

func TestEnqueue(t *testing.T) {
	h := newHashingHost(t)
	h.Settings.Interval = seldom
	h.Configure()
	log, _ := h.start(true)
	h.AwaitPoll("first")

	out, stderr, err := h.command("enqueue", "restart", "--reason", "new pool", "--wait")
	if out != "command 1: restart is completed\n" || stderr != "" || err != nil {
		t.Errorf("restart: %q, %q, %v", out, stderr, err)
	}
	if got := h.Calls(); got != "reset-failed -- xmrig.service\nrestart -- xmrig.service\n" {
		t.Errorf("restart calls\n%s", got)
	}
	h.Write("then", `[ "$1" = reset-failed ] || { echo "Job for xmrig.service failed."; exit 1; }`)
	_, _, err = h.command("enqueue", "start", "--reason", "try", "--wait="+hosttest.Patience.String())
	const failure = "command 2: start failed: systemctl start xmrig.service: exit status 1: Job for xmrig.service failed."
	if err == nil || err.Error() != failure || exitCode(err) != 1 {
		t.Errorf("start: %v, want %s", err, failure)
	}
	for _, want := range []string{
		`level=INFO msg="command begins" host=mini-1 command=1 action=restart reason="new pool"`,
		`level=INFO msg=systemctl host=mini-1 verb=restart unit=xmrig.service reason="new pool" output="" error=<nil>`,
		`level=INFO msg="command completed" host=mini-1 command=1 action=restart reason="new pool" output=""`,
		`level=INFO msg=systemctl host=mini-1 verb=start unit=xmrig.service reason=try output="Job for xmrig.service failed." error="systemctl start xmrig.service: exit status 1"`,
		`level=ERROR msg="command failed" host=mini-1 command=2 action=start reason=try error=`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not in the log: %s", want)
		}
	}

	for _, tt := range []struct {
		args string
		want string
		code int
	}{
		{"enqueue", "enqueue: one of start, stop, restart is missing: see xmrig-orchestrator --help", 64},
		{"enqueue stop", "enqueue stop: --reason is missing: see xmrig-orchestrator --help", 64},
		{"enqueue reboot --reason x", `enqueue: unknown action "reboot", want one of start, stop, restart`, 1},
		{"enqueue stop --reason x --wait=soon", `invalid boolean value "soon" for -wait: time: invalid duration "soon": see xmrig-orchestrator --help`, 64},
	} {
		if _, _, err := h.command(strings.Fields(tt.args)...); err == nil || err.Error() != tt.want || exitCode(err) != tt.code {
			t.Errorf("%s: %v, exit %d; want %s, exit %d", tt.args, err, exitCode(err), tt.want, tt.code)
		}
	}
	for range 3 {
		if _, _, err := h.command("enqueue", "stop", "--reason", "x"); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = h.command("enqueue", "stop", "--reason", "x")
	if want := "enqueue stop: rate limit exceeded: more than 5 commands within a minute"; err == nil || err.Error() != want || exitCode(err) != 1 {
		t.Errorf("the sixth: %v, want %s", err, want)
	}
}

func TestEnqueueWithoutAgent(t *testing.T) {
	h := newHashingHost(t)
	h.OwnDatabase = true
	out, stderr, err := h.command("enqueue", "start", "--reason", "later")
	if out != "command 1: start is pending\n" || stderr != "the agent does not run; it will do the command when it starts\n" || err != nil {
		t.Errorf("%q, %q, %v", out, stderr, err)
	}
	_, _, err = h.command("enqueue", "start", "--reason", "now", "--wait=300ms")
	if want := "command 2: still pending after 300ms"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	h.start(true)
	if got := h.Ending(2); got != "start|completed|" {
		t.Errorf("the second: %s", got)
	}
	if got := h.Ending(1); got != "start|failed|Superseded by new command" {
		t.Errorf("the first: %s", got)
	}
}
