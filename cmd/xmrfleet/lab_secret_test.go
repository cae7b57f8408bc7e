//go:build lab

package main

import (
	"context"
	"strings"
	"testing"
)

// secretFleet has a secret in every place that may hold one.
const secretFleet = `
wallet = sensitive(env("MONERO_WALLET"))
variable "xmrig_sha256" {}
variable "xmrig_source" {}
variable "pass" { sensitive = true }
variable "token" { sensitive = true }
pool "a" {
  url  = "pool-a.example:443"
  pass = var.pass
}
pool "b" {
  url  = "pool-b.example:443"
  user = sensitive(env("POOL_USER"))
}
xmrig {
  version      = "6.26.0"
  sha256       = var.xmrig_sha256
  source       = var.xmrig_source
  access_token = var.token
  config = {
    user-agent = sensitive(env("USER_AGENT"))
  }
}
agent { interval = "1s" }
host "mini-1" {}
host "mini-2" {}
`

// secrets are of generation n: recognisable, and awkward for shells, JSON and
// regular expressions.
func (f *fleet) secrets(n string) []string {
	f.env["XMRFLEET_VAR_pass"] = "canary-pass'\"$(id)\\ " + n
	f.env["XMRFLEET_VAR_token"] = "canary-token-" + n
	f.env["POOL_USER"] = "canary-user<&>" + n
	f.env["USER_AGENT"] = "canary-agent/" + n
	return []string{"canary", wallet}
}

// watch collects what other users of a host can see of its processes, until
// it is told to stop. The patterns do not find themselves.
const watch = `rm -f /run/stop; while [ ! -e /run/stop ]; do
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' '
done | grep -a -o -e '[c]anary[^ ]*' -e '[4]4AFFq5[^ ]*' -e '[x]mrig-orchestrator' | sort -u`

// TestSecrets looks for them in all that xmrfleet prints and in what a host
// logs and shows of an apply, both when they are new and when they change.
func TestSecrets(t *testing.T) {
	f := newFleet(t, "#", "mini-1", "mini-2")
	f.write(secretFleet)
	var printed strings.Builder
	say := func(code int, args ...string) string {
		t.Helper()
		o := f.mustRun(code, args...)
		printed.WriteString(o.String())
		return o.stdout
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watcher := f.lab.Host("mini-1").Command(ctx, "sh", "-c", watch)
	var seen strings.Builder
	watcher.Stdout = &seen
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}

	var secrets []string
	for _, generation := range []string{"one", "two"} {
		secrets = f.secrets(generation)
		say(exitDone, "validate")
		say(exitDone, "validate", "--json")
		say(exitDone, "plan")
		contains(t, say(exitChanges, "plan", "-v", "--detailed-exitcode"), "file /etc/xmrig/config.json")
		say(exitDone, "apply", "-v", "--yes")
		say(exitDone, "plan", "-v", "--detailed-exitcode")
		f.run("status", "-v")
	}
	contains(t, f.sh("mini-1", `cat /etc/xmrig/config.json`), "canary-token-two", wallet)

	f.secrets("three")
	f.sh("mini-1", `mv /run/systemd/system /run/systemd/elsewhere`)
	f.sh("mini-2", `mount --bind /etc/xmrig /etc/xmrig && mount -o remount,bind,ro /etc/xmrig`)
	contains(t, say(exitPartial, "apply", "-v", "--yes", "--var", "token=canary'token-four", "--var", "pass=canary-pass four"),
		"mini-1  untouched: ", "mini-2  ", "file /etc/xmrig/config.json: ",
		"retry: xmrfleet apply -v --yes --var 'token=(sensitive)' --var 'pass=(sensitive)'")

	f.sh("mini-1", `touch /run/stop`)
	if err := watcher.Wait(); err != nil {
		t.Fatal(err)
	}
	contains(t, seen.String(), "xmrig-orchestrator")
	logs := f.sh("mini-1", `journalctl -a --no-pager -o export; journalctl -a --no-pager --namespace=xmrig -o export; cat /var/log/* 2>/dev/null; :`)
	contains(t, logs, "COMMAND=/bin/sh -c")
	for _, secret := range secrets {
		for place, text := range map[string]string{"output": printed.String(), "list of processes": seen.String(), "log": logs} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("the %s has %q:\n%s", place, secret, text[max(0, at-300):min(len(text), at+100)])
			}
		}
	}
}
