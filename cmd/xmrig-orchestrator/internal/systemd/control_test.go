package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestControl(t *testing.T) {
	systemctl(t, `echo "$*: $TZ" >&2; [ "$1" = stop ] || exit 5`)
	out, err := Control(t.Context(), Stop, "xmrig.service")
	if out != "stop -- xmrig.service: UTC" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	out, err = Control(t.Context(), Restart, "xmrig.service")
	if out != "restart -- xmrig.service: UTC" || err == nil || err.Error() != "systemctl restart xmrig.service: exit status 5" {
		t.Errorf("%q, %v", out, err)
	}
}

// hanging has systemctl print a line and then hang for as long as the test takes,
// with a child that keeps its output open. The context ends when it hangs.
func hanging(t *testing.T) context.Context {
	dir := t.TempDir()
	begun := filepath.Join(dir, "begun")
	systemctl(t, fmt.Sprintf("echo begun; : >'%s'; while [ -d '%s' ]; do sleep 0.1; done & wait\n", begun, dir))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(begun); err == nil {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return ctx
}

// A systemctl that hangs is not waited for: neither until it ends nor until the
// timeout.
func TestControlCancel(t *testing.T) {
	out, err := Control(hanging(t), Stop, "xmrig.service")
	if out != "begun" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", out, err)
	}
}

func TestErrorLines(t *testing.T) {
	const log = `[2026-11-22 23:10:00.000]  net      use pool 127.0.0.1:33333  127.0.0.1
[2026-11-22 23:10:01.000]  net      127.0.0.1:33333 connect error: "connection refused"
[2026-11-22 23:10:01.500]  net      HTTP API server failed to start.
[2026-11-22 23:10:02.000]  net      127.0.0.1:33333 connect error: "connection refused"
[2026-11-22 23:10:03.000]  net      no active pools, stop mining
 * CPU          Some Name
[2026-11-22 23:10:04.000]  msr      FAILED TO APPLY MSR MOD, HASHRATE WILL BE LOW
[2026-11-22 23:10:05.000]  cpu      accepted (1/0) diff 1000 (34 ms)
`
	want := []string{
		`net 127.0.0.1:33333 connect error: "connection refused"`,
		"net no active pools, stop mining",
		"msr FAILED TO APPLY MSR MOD, HASHRATE WILL BE LOW",
	}
	if got := errorLines(log); !slices.Equal(got, want) {
		t.Errorf("lines are %q, want %q", got, want)
	}
	if got := errorLines("all is well\n"); got != nil {
		t.Errorf("lines are %q", got)
	}
	if got := errorLines("error: " + strings.Repeat("é", 300)); len(got[0]) > maxLine+3 || !strings.HasSuffix(got[0], "é…") {
		t.Errorf("line is %q", got[0])
	}
}

func TestErrors(t *testing.T) {
	program(t, "journalctl", `[ "$*" = "--namespace=xmrig --quiet --no-pager --output=cat --lines=200 --since=@1000 --unit=xmrig.service" ] || exit 9
echo 'an error'`)
	got, err := Errors(t.Context(), "xmrig.service", "xmrig", time.Unix(1000, 5))
	if err != nil || !slices.Equal(got, []string{"an error"}) {
		t.Errorf("lines are %q, %v", got, err)
	}
}
