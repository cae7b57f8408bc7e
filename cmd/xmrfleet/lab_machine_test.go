//go:build lab

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A jsonLine is what these tests read of a line.
type jsonLine struct {
	Type     string
	Run      string `json:"run_id"`
	Host     string
	Time     string `json:"@timestamp"`
	Level    string `json:"@level"`
	Message  string `json:"@message"`
	Resource string
	Result   string
	State    string
	Kind     string
	Outcome  string
	Signal   string
	Code     int `json:"exit_code"`
	Changes  int
}

// stream reads JSON lines and holds what is true of every stream. It returns
// the lines and their types, "host:type" where there is a host.
func stream(t *testing.T, text string) (lines []jsonLine, types string) {
	t.Helper()
	var words []string
	for line := range strings.Lines(text) {
		var l jsonLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Type == "" || l.Run == "" || l.Time == "" || l.Level == "" || l.Message == "" {
			t.Errorf("a field is missing: %s", line)
		}
		if len(lines) > 0 && l.Run != lines[0].Run {
			t.Errorf("another run: %s", line)
		}
		word := l.Type
		if l.Host != "" {
			word = l.Host + ":" + word
		}
		lines, words = append(lines, l), append(words, word)
	}
	types = strings.Join(words, " ")
	if !strings.HasPrefix(types, "version ") || !strings.HasSuffix(types, " run_summary") || strings.Count(types, "run_summary") != 1 {
		t.Errorf("want a version first and a summary last: %s", types)
	}
	return lines, types
}

func last(lines []jsonLine) jsonLine { return lines[len(lines)-1] }

// TestJSON follows two hosts from nothing to mining.
func TestJSON(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	o := f.mustRun(exitChanges, "plan", "--json", "--detailed-exitcode")
	lines, types := stream(t, o.stdout)
	contains(t, types, "mini-1:planned_change mini-1:planned_change", "mini-2:planned_change plan_summary run_summary")
	if end := last(lines); end.Outcome != "changes" || end.Code != exitChanges || o.stderr != "" {
		t.Error(o)
	}

	o = f.mustRun(exitDone, "apply", "--json", "--yes")
	lines, types = stream(t, o.stdout)
	contains(t, types, " mini-1:apply_start ", " mini-2:apply_start ", " mini-1:apply_progress ", " mini-2:apply_complete ",
		" mini-1:host_summary mini-2:host_summary apply_summary run_summary")
	if n := strings.Count(types, "mini-1:apply_progress"); n != 11 || o.stderr != "" {
		t.Errorf("%d changes were told: %v", n, o)
	}
	contains(t, f.sh("mini-1", `journalctl -q -t xmrfleet -o cat`), "run "+lines[0].Run+" by ")

	f.sh("mini-2", `systemctl stop xmrig`)
	o = f.mustRun(exitPartial, "status", "--json", "--json-into", "status.json")
	lines, types = stream(t, o.stdout)
	if types != "version mini-1:host_status mini-2:host_status status_summary run_summary" || lines[2].State != "stopped" {
		t.Error(o.stdout)
	}
	into, err := os.ReadFile(filepath.Join(f.dir, "status.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, same := stream(t, string(into)); same != types {
		t.Errorf("--json-into has %s, --json %s", same, types)
	}
}

// TestInterruptedJSON ends with the summary after one Ctrl-C and after two.
func TestInterruptedJSON(t *testing.T) {
	f := newFleet(t, `host "slow-1" {}`+"\n"+`host "mini-1" {}`, "slow-1", "mini-1")
	f.sh("slow-1", slowUser)
	r := f.start("apply", "--json", "--yes", "--parallelism", "1", "--json-into", "into")
	f.begun("slow-1")
	r.signal(syscall.SIGINT)
	r.expect(`"type":"interrupted"`)
	f.release("slow-1")
	o := r.wait(exitInterrupted)
	lines, types := stream(t, o.stdout)
	contains(t, types, " interrupted ", " slow-1:host_summary mini-1:host_summary apply_summary run_summary")
	contains(t, o.stdout, `"host":"slow-1"`, `"result":"in_between"`, `"result":"untouched"`)
	if end := last(lines); end.Outcome != "interrupted" || end.Signal != "interrupt" || end.Code != exitInterrupted {
		t.Errorf("%+v", end)
	}
	into, err := os.ReadFile(filepath.Join(f.dir, "into"))
	if err != nil {
		t.Fatal(err)
	}
	stream(t, string(into))

	f.sh("slow-1", `rm -f /run/begun /run/go; userdel xmrig`)
	r = f.start("apply", "--json", "--yes")
	f.begun("slow-1")
	r.signal(syscall.SIGTERM)
	r.expect(`"type":"interrupted"`)
	r.expect(abandonable)
	r.signal(syscall.SIGTERM)
	lines, _ = stream(t, r.wait(exitTerminated).stdout)
	if end := last(lines); end.Outcome != "terminated" || end.Signal != "terminated" {
		t.Errorf("%+v", end)
	}
}

// TestSavedPlan is applied where nothing moved, and nowhere else.
func TestSavedPlan(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	contains(t, f.mustRun(exitDone, "plan", "--out", "p.json").stderr, "`xmrfleet apply p.json` makes these changes and no others.")

	f.sh("mini-2", `useradd --system --no-create-home --shell /usr/sbin/nologin xmrig`)
	f.mark("mini-2")
	o := f.mustRun(exitDeclined, "apply", "p.json")
	contains(t, o.stdout, "  ! mini-2  the saved plan is stale: the host moved: create user xmrig is gone\n",
		"      hint: make a new plan and read it: `xmrfleet plan --out FILE`\n",
		"Apply: 1 of 2 hosts converged, 11 changes made. 1 host is not.", "\nretry: xmrfleet apply -l mini-2\n")
	f.untouched("mini-2")

	lines, types := stream(t, f.mustRun(exitDeclined, "apply", "--json", "p.json").stdout)
	if types != "version mini-2:host_stale plan_summary run_summary" || lines[1].Kind != "stale" || last(lines).Outcome != "refused" {
		t.Error(types)
	}
	contains(t, f.mustRun(exitDone, "apply", "p.json", "-l", "mini-1").stdout, "Plan: nothing to do, 1 host is as described.")

	f.mustRun(exitDone, "plan", "--out", "p.json")
	f.sh("mini-1", `echo '{}' >/etc/xmrig/config.json`)
	contains(t, f.mustRun(exitDeclined, "apply", "p.json").stdout,
		"  ! mini-1  the saved plan is stale: the host moved: update file /etc/xmrig/config.json is new\n",
		"Plan: 1 of 2 hosts to change, 10 changes. 1 host is not as in the saved plan.")
	f.mustRun(exitDone, "plan", "--out", "p.json")
	f.sh("mini-1", `echo '{"a": 1}' >/etc/xmrig/config.json`)
	contains(t, f.mustRun(exitDeclined, "apply", "p.json").stdout,
		"  ! mini-1  the saved plan is stale: the host moved, and the same changes would do something else now")

	f.mustRun(exitDone, "plan", "--out", "p.json", "--target", "xmrig")
	f.mustRun(exitDone, "apply", "p.json")
	f.converged()

	text, err := os.ReadFile(filepath.Join(f.dir, "fleet.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	f.write(string(text) + "\n")
	contains(t, f.mustRun(exitDeclined, "apply", "p.json").stderr, "the saved plan is stale: the fleet file, a variable or the environment that it reads has changed")
}

// TestSavedPlanOfUnreachable says nothing about that host.
func TestSavedPlanOfUnreachable(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`+"\n"+`host "mini-2" {}`, "mini-1", "mini-2")
	f.sh("mini-2", `systemctl stop ssh.socket ssh.service 2>/dev/null; :`)
	f.mustRun(exitPartial, "plan", "--out", "p.json")
	f.sh("mini-2", `systemctl start ssh.service`)
	contains(t, f.mustRun(exitDeclined, "apply", "p.json").stdout, "  ! mini-2  the saved plan is stale: the host is not in it, or could not be read when it was made",
		"Apply: 1 of 2 hosts converged")
}

// TestSecretsOfMachines looks for secrets in what is made for machines: JSON,
// saved plans, and all of a GitHub job but the masks themselves.
func TestSecretsOfMachines(t *testing.T) {
	f := newFleet(t, "#", "mini-1", "mini-2")
	f.write(secretFleet)
	var printed strings.Builder
	say := func(code int, args ...string) {
		t.Helper()
		printed.WriteString(f.mustRun(code, args...).String())
		for _, name := range []string{"p.json", "into", "summary"} {
			if text, err := os.ReadFile(filepath.Join(f.dir, name)); err == nil {
				printed.Write(text)
			}
		}
	}
	f.env["GITHUB_STEP_SUMMARY"] = filepath.Join(f.dir, "summary")
	var secrets []string
	for _, generation := range []string{"one", "two"} {
		secrets = f.secrets(generation)
		say(exitChanges, "plan", "-v", "--json", "--detailed-exitcode", "--out", "p.json")
		say(exitDone, "plan", "-v", "--format", "github", "--json-into", "into")
		f.env["GITHUB_ACTIONS"] = "true"
		o := f.mustRun(exitDone, "apply", "-v", "p.json", "--json-into", "into")
		delete(f.env, "GITHUB_ACTIONS")
		masks, rest, _ := strings.Cut(o.stdout, "\n  ~ ")
		contains(t, masks, "::add-mask::canary-token-"+generation, "::add-mask::"+wallet)
		if strings.Contains(strings.ReplaceAll("\n"+masks, "\n::add-mask::", ""), "\n") {
			t.Errorf("something is printed before the masks:\n%s", masks)
		}
		printed.WriteString(rest + o.stderr)
		printed.WriteString(f.run("status", "--json").String())
	}
	f.secrets("three")
	f.sh("mini-1", `mv /run/systemd/system /run/systemd/elsewhere`)
	f.sh("mini-2", `mount --bind /etc/xmrig /etc/xmrig && mount -o remount,bind,ro /etc/xmrig`)
	say(exitPartial, "apply", "--json", "--yes", "--var", "token=canary'token-four", "--json-into", "into")
	say(exitPartial, "apply", "--format", "github", "--yes", "--var", "token=canary'token-four")
	contains(t, printed.String(), `"type":"host_summary"`, `"fingerprint": "`, "### xmrfleet apply: partial", "file /etc/xmrig/config.json")
	for _, secret := range secrets {
		if at := strings.Index(printed.String(), secret); at >= 0 {
			t.Errorf("%q is in\n%s", secret, printed.String()[max(0, at-300):min(printed.Len(), at+100)])
		}
	}
}
