//go:build lab

package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
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

// needles are the secrets as they are and as programs write them.
func needles(secrets []string) []string {
	found := secrets
	for _, s := range []string{"canary-", wallet[:20]} {
		found = append(found, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))))
		for shift := range 3 { // what is around it moves it within groups of three
			text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", shift) + s))
			found = append(found, strings.TrimRight(text, "=")[shift+1:len(strings.TrimRight(text, "="))-1])
		}
	}
	return found
}

// spy collects what other users of a host can see of its processes, until
// it is told to stop. The patterns do not find themselves.
const spy = `rm -f /run/stop; while [ ! -e /run/stop ]; do
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' '
	cat /proc/[0-9]*/environ 2>/dev/null | tr '\0' ' '
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
	watcher := f.lab.Host("mini-1").Command(ctx, "sh", "-c", spy)
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
	silent(t, secrets, map[string]string{"output": printed.String(), "list of processes": seen.String(), "log": logs})
}

// silent fails if a secret is in one of the texts.
func silent(t *testing.T, secrets []string, texts map[string]string) {
	t.Helper()
	for _, secret := range needles(secrets) {
		for place, text := range texts {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("the %s has %q:\n%s", place, secret, text[max(0, at-300):min(len(text), at+100)])
			}
		}
	}
}

// put writes a file of a host, past its list of processes.
func (f *fleet) put(host, path, text string) {
	f.t.Helper()
	if err := f.lab.Host(host).WriteFile(context.Background(), path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// TestSecretsOfCommands looks for secrets in what every other command says, in
// every format, of hosts that show them wherever they can: in files, in the
// journal, in the last words of a unit that does not start.
func TestSecretsOfCommands(t *testing.T) {
	f := newFleet(t, "#", "mini-1", "mini-2")
	f.write(secretFleet)
	secrets := f.secrets("five")
	token := f.env["XMRFLEET_VAR_token"]
	f.apply()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watcher := f.lab.Host("mini-1").Command(ctx, "sh", "-c", spy)
	var seen strings.Builder
	watcher.Stdout = &seen
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"the token is " + token + " and the user " + f.env["POOL_USER"], "or \x1b[31m" + token[:10] + "\x1b[0m" + token[10:]} {
		f.put("mini-1", "/root/entry", "MESSAGE="+text+"\nOBJECT_SYSTEMD_UNIT=xmrig.service\n")
		f.sh("mini-1", `logger --journald </root/entry`)
	}

	texts := map[string]string{}
	all := func(code int, args ...string) {
		t.Helper()
		for _, flags := range [][]string{{}, {"--json"}, {"--format", "github", "--json-into", "into"}} {
			line := append(append([]string{args[0]}, flags...), args[1:]...)
			texts[strings.Join(line[:1+len(flags)], " ")] += f.mustRun(code, line...).String()
		}
		into, err := os.ReadFile(filepath.Join(f.dir, "into"))
		if err != nil {
			t.Fatal(err)
		}
		texts["--json-into of "+args[0]] += string(into)
	}
	all(exitDone, "render", "*")
	all(exitDone, "facts", "-v")
	all(exitDone, "ssh-check", "-v")
	all(exitDone, "logs", "-v", "-n", "100", "mini-1")
	all(exitDone, "exec", "-l", "mini-1", "--sudo", "--", "cat /etc/xmrig/*.json; cat /etc/xmrig/config.json >&2")
	all(exitDone, "exec", "-l", "mini-1,mini-2", "--sudo", "--", "cat /etc/xmrig/config.json")
	all(exitDone, "exec", "--stream", "--sudo", "--", "cat /etc/xmrig/config.json")
	all(exitPartial, "exec", "-l", "mini-2", "--sudo", "--", "echo "+token+"; false")
	all(exitDone, "restart", "-v", "--direct", "-l", "mini-2", "--reason", "because of "+token)
	all(exitDone, "complete", "--", "plan", "-l", "")
	f.mustRun(exitDone, "restart", "-l", "mini-2", "--reason", "because of "+token)
	all(exitDone, "history", "-v")
	contains(t, texts["history"], "restart completed (because of (sensitive) (")
	contains(t, texts["logs"], "the token is (sensitive) and the user (sensitive)\n")
	contains(t, texts["exec"], `"access-token": "(sensitive)"`)

	// A unit that does not start, and says why.
	for _, host := range []string{"mini-1", "mini-2"} {
		f.put(host, "/usr/local/share/token", "refused: "+token+"\n")
		f.sh(host, `mkdir -p /run/systemd/system/xmrig.service.d
			printf '[Service]\nExecStartPre=/bin/sh -c "cat /usr/local/share/token; exit 1"\n' >/run/systemd/system/xmrig.service.d/talk.conf
			systemctl daemon-reload; systemctl stop xmrig`)
	}
	all(exitError, "restart", "-v", "--direct", "-l", "mini-2")
	all(exitPartial, "apply", "-v", "--yes")
	all(exitPartial, "status", "-v")
	contains(t, texts["apply"], "refused: (sensitive)")

	f.sh("mini-1", `touch /run/stop`)
	if err := watcher.Wait(); err != nil {
		t.Fatal(err)
	}
	texts["list of processes"] = seen.String()
	texts["journal"] = f.sh("mini-2", `journalctl -a --no-pager -o export -t xmrfleet -t sudo -t sshd`)
	contains(t, texts["journal"], "exec echo (sensitive); false")
	texts["database"] = f.sh("mini-2", `cat /var/lib/xmrig-orchestrator/*`)
	records, err := filepath.Glob(filepath.Join(f.env["HOME"], ".cache/xmrfleet/*"))
	if err != nil || records == nil {
		t.Fatalf("nothing is remembered: %v", err)
	}
	for _, record := range records {
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		texts[record] = string(text)
	}
	silent(t, secrets, texts)
}
