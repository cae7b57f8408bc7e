package modules

import (
	"errors"
	"strings"
	"testing"
)

const (
	testConfig  = "/etc/xmrig/a.json"
	testProgram = "/usr/local/bin/a"
)

// testUnit is a unit that records what it is started with.
func testUnit(text string) (Unit, string) {
	return recording("a.service", "[Service]\n"+text+"\nExecStartPre=RECORD\n", testConfig, testProgram)
}

// testService is a running service whose unit, config and program are there,
// none of which has been started or enabled.
func (h *host) testService() Service {
	unit, rev := testUnit("Type=exec")
	h.write(testConfig, "{}", 0o644)
	h.write(testProgram, "program", 0o755)
	h.write("/etc/systemd/system/a.service", unit.Text, 0o644)
	return Service{Unit: "a.service", Enabled: true, Running: true, Record: func(Facts) (Record, error) {
		return Record{Unit: rev, Config: sum("{}"), Binary: sum("program")}, nil
	}}
}

// started is testService once it runs and is enabled.
func (h *host) started() Service {
	s := h.testService()
	h.must(Command{Script: "systemctl enable a.service && systemctl start a.service"})
	return s
}

var serviceLaws = []law{
	{name: "new", make: func(h *host) Resource { return h.testService() }},
	{name: "not enabled", make: func(h *host) Resource {
		s := h.started()
		h.must(Command{Script: "systemctl disable a.service"})
		return s
	}},
	{name: "old config", make: func(h *host) Resource {
		h.write(testConfig, "", 0o644)
		h.must(Command{Script: "systemctl enable a.service; systemctl start a.service"})
		return h.started()
	}},
	{name: "config changed since", make: func(h *host) Resource {
		s := h.started()
		h.write(testConfig, "[]", 0o644)
		record := s.Record
		s.Record = func(f Facts) (Record, error) {
			r, err := record(f)
			r.Config = sum("[]")
			return r, err
		}
		return s
	}},
	{name: "unit file changed since", make: func(h *host) Resource {
		s := h.started()
		unit, rev := testUnit("Type=notify")
		h.write("/etc/systemd/system/a.service", unit.Text, 0o644)
		record := s.Record
		s.Record = func(f Facts) (Record, error) {
			r, err := record(f)
			r.Unit = rev
			return r, err
		}
		return s
	}},
	{name: "no record", make: func(h *host) Resource {
		s := h.started()
		h.must(Command{Script: "rm /run/xmrfleet/a.service"})
		return s
	}},
	{name: "record of another start", make: func(h *host) Resource {
		s := h.started() // and again by a unit that records nothing
		h.write("/run/fake/systemd/a.service.invocation", "another\n", 0o644)
		return s
	}},
	{name: "record cut off", make: func(h *host) Resource {
		s := h.started()
		h.write("/run/xmrfleet/a.service", "unit ", 0o644)
		return s
	}},
	{name: "failed", make: func(h *host) Resource {
		s := h.started()
		h.write("/run/fake/systemd/a.service.active", "failed\n", 0o644)
		return s
	}},
	{name: "auto-restart", make: func(h *host) Resource {
		s := h.started()
		h.write("/run/fake/systemd/a.service.active", "activating\n", 0o644)
		h.write("/run/fake/systemd/a.service.sub", "auto-restart\n", 0o644)
		return s
	}},
	{name: "stopped and disabled", make: func(h *host) Resource {
		h.started()
		return Service{Unit: "a.service"}
	}},
	{name: "stopped, unit file gone", make: func(h *host) Resource {
		h.started()
		h.must(Command{Script: "rm /etc/systemd/system/a.service"})
		return Service{Unit: "a.service"}
	}},
	{name: "stopped, unit file changed", make: func(h *host) Resource {
		h.started()
		h.must(Command{Script: "systemctl stop a.service; systemctl disable a.service"})
		h.write("/etc/systemd/system/a.service", "[Service]\n", 0o644)
		return Service{Unit: "a.service"}
	}},
	{name: "stopped, link without a unit", make: func(h *host) Resource {
		h.mkdir("/etc/systemd/system/multi-user.target.wants")
		h.must(Command{Script: `ln -s /etc/systemd/system/a.service "$1"`, Args: []string{wantsLink("a.service")}})
		return Service{Unit: "a.service"}
	}},
}

func TestServiceConverges(t *testing.T) {
	for _, l := range rooted(serviceLaws) {
		t.Run(l.name, l.hold)
	}
}

const upAndEnabled = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\nResult=success\nInvocationID=1d\nDropInPaths=\nRecord=\n"

func TestServiceDiff(t *testing.T) {
	want := Record{Unit: "0123456789ab feed", Config: sum("config"), Binary: sum("binary")}
	service := Service{Unit: "xmrig.service", Enabled: true, Running: true, Check: "/usr/local/bin/agent check", Journal: "xmrig",
		Record: func(Facts) (Record, error) { return want, nil }}
	record := func(unit, config, binary string) string {
		return "unit " + unit + " feed - 1d\n" + sum(config) + "  /etc/xmrig/config.json\n" + sum(binary) + "  /usr/local/bin/xmrig\n"
	}
	fresh := record("0123456789ab", "config", "binary")
	stopped := Service{Unit: "xmrig.service"}
	const (
		enable  = "enable xmrig.service"
		disable = "disable xmrig.service"
		reload  = "reload"
		start   = "start xmrig.service"
		stop    = "stop xmrig.service"
		restart = "restart xmrig.service"
	)
	for _, test := range []struct {
		name    string
		service Service
		probed  string
		want    string
	}{
		{"as it should be", service, upAndEnabled + fresh, ""},
		{"old config", service, upAndEnabled + record("0123456789ab", "x", "binary"),
			"restart: the running process has the old config | restart xmrig.service"},
		{"old binary", service, upAndEnabled + record("0123456789ab", "config", "x"),
			"restart: the running process has the old binary | restart xmrig.service"},
		{"old unit", service, upAndEnabled + record("x", "config", "binary"),
			"restart: the running process has the old unit | restart xmrig.service"},
		{"all old", service, upAndEnabled + record("x", "x", "x"),
			"restart: the running process has the old config and binary and unit | restart xmrig.service"},
		{"no record", service, upAndEnabled,
			"restart: it is not known what the running process was started with | restart xmrig.service"},
		{"record of another start", service, strings.Replace(upAndEnabled, "ID=1d", "ID=2e", 1) + fresh,
			"restart: it is not known what the running process was started with | restart xmrig.service"},
		{"record without a start", service, strings.Replace(upAndEnabled, "ID=1d", "ID=", 1) + strings.Replace(fresh, " 1d", "", 1),
			"restart: it is not known what the running process was started with | restart xmrig.service"},
		{"no answer of another start", service, upAndEnabled + fresh + "silent 2e\n", ""},
		{"no answer", service, upAndEnabled + fresh + "silent 1d\n",
			"restart: its API did not answer after the last start | restart xmrig.service"},
		{"half a record", service, upAndEnabled + fresh[:40],
			"restart: it is not known what the running process was started with | restart xmrig.service"},
		{"disabled", service, strings.Replace(upAndEnabled, "enabled", "disabled", 1) + fresh,
			"update [start at boot: disabled -> enabled] | enable xmrig.service"},
		{"needs reload", service, strings.Replace(upAndEnabled, "Reload=no", "Reload=yes", 1) + fresh,
			"update [loaded unit: older than its file -> as its file] | reload"},
		{"needs reload and restart", service, strings.Replace(upAndEnabled, "Reload=no", "Reload=yes", 1) + record("x", "config", "binary"),
			"restart: the running process has the old unit [loaded unit: older than its file -> as its file] | reload | restart xmrig.service"},
		{"not found", service, "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\nResult=success\nRecord=\n",
			"start [start at boot: disabled -> enabled] | enable xmrig.service | start xmrig.service"},
		{"no systemctl at all", service, "Record=\n",
			"start [start at boot: disabled -> enabled] | enable xmrig.service | start xmrig.service"},
		{"inactive with an old record", service, strings.Replace(upAndEnabled, "=active", "=inactive", 1) + record("x", "x", "x"),
			"start | start xmrig.service"},
		{"failed", service, strings.NewReplacer("=active", "=failed", "success", "exit-code").Replace(upAndEnabled),
			"start: it failed: exit-code | start xmrig.service"},
		{"on its way", service, strings.Replace(upAndEnabled, "=active", "=activating", 1) + fresh, ""},
		{"on its way down", service, strings.Replace(upAndEnabled, "=active", "=deactivating", 1) + fresh,
			"start | start xmrig.service"},
		{"failing again and again", service, strings.NewReplacer("=active", "=activating", "=running", "=auto-restart", "success", "signal").Replace(upAndEnabled) + fresh,
			"restart: it ends soon after each start: signal | restart xmrig.service"},
		{"masked", service, strings.Replace(upAndEnabled, "enabled", "masked", 1) + fresh,
			"update [start at boot: masked -> enabled] | enable xmrig.service"},
		{"to be stopped", stopped, upAndEnabled + fresh,
			"stop [start at boot: enabled -> disabled] | disable xmrig.service | stop xmrig.service"},
		{"to be stopped while failing", stopped, strings.NewReplacer("=active", "=activating", "=running", "=auto-restart", "enabled", "disabled").Replace(upAndEnabled),
			"stop | stop xmrig.service"},
		{"to be disabled", stopped, strings.Replace(upAndEnabled, "=active", "=inactive", 1),
			"update [start at boot: enabled -> disabled] | disable xmrig.service"},
		{"stopped, unit not loaded anew", stopped, strings.NewReplacer("=active", "=inactive", "enabled", "disabled", "Reload=no", "Reload=yes").Replace(upAndEnabled),
			"update [loaded unit: older than its file -> as its file] | reload"},
		{"stopped, link without a unit", stopped, "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\nResult=success\nWantsLink=yes\nRecord=\n",
			"update [start at boot: link without a unit -> disabled] | drop /etc/systemd/system/multi-user.target.wants/xmrig.service"},
		{"to be disabled by systemd", stopped, strings.NewReplacer("=active", "=inactive", "Record=", "WantsLink=yes\nRecord=").Replace(upAndEnabled),
			"update [start at boot: enabled -> disabled] | disable xmrig.service"},
		{"link and unit", service, strings.Replace(upAndEnabled, "Record=", "WantsLink=yes\nRecord=", 1) + fresh, ""},
		{"stopped and gone", stopped, "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\nResult=success\nRecord=\n", ""},
	} {
		c, err := test.service.Diff(test.probed, Facts{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := string(c.Action)
		if c.Reason != "" {
			got += ": " + c.Reason
		}
		for _, f := range c.Fields {
			got += " [" + f.Name + ": " + f.Old + " -> " + f.New + "]"
		}
		disruptive := false
		for _, step := range c.Steps {
			switch {
			case step.Script == setEnabled && step.Args[1] == "enabled":
				got += " | " + enable
			case step.Script == setEnabled:
				got += " | " + disable
			case step.Script == dropLink:
				got += " | drop " + step.Args[0]
			case step.Script == daemonReload.Script:
				got += " | " + reload
			case step.Script == startUnit && step.Args[1] == "start":
				got += " | " + start
				disruptive = true
			case step.Script == startUnit:
				got += " | " + restart
				disruptive = true
			default:
				got += " | " + stop
				disruptive = true
			}
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
		if c.Disruptive != disruptive {
			t.Errorf("%s: Disruptive is %t", test.name, c.Disruptive)
		}
	}

	service.Record = func(Facts) (Record, error) { return Record{}, errors.New("no binary") }
	if _, err := service.Diff(upAndEnabled, Facts{}); err == nil || err.Error() != "service xmrig: no binary" {
		t.Errorf("error of the record: %v", err)
	}
}

// TestServiceStart looks at what a start says where it does not succeed.
func TestServiceStart(t *testing.T) {
	start := func(check string) Command {
		return Command{Script: startUnit, Args: []string{"a.service", "start", check, "xmrig", recordPath("a.service")}}
	}
	t.Run("it fails", func(t *testing.T) {
		h := newRoot(t)
		h.testService()
		h.write("/run/fake/systemd/a.service.broken", "", 0o644)
		r := h.run(start(""))
		want := "Job for a.service failed.\n" +
			"start a.service: failed; the last lines of its journal:\n" +
			"    journalctl --namespace=+xmrig -u a.service -n 15 --no-pager -o short\n"
		if r.Status != 1 || r.Stderr != want {
			t.Errorf("exit %d\n got %q\nwant %q", r.Status, r.Stderr, want)
		}
	})
	t.Run("no agent, or an old one that cannot check", func(t *testing.T) {
		h := newRoot(t)
		h.testService()
		h.must(start("/usr/local/bin/none check"))
		h.write("/usr/local/bin/ruby-agent", "#!/usr/bin/ruby\nexit 1\n", 0o755)
		h.must(start("/usr/local/bin/ruby-agent check"))
	})
	t.Run("the agent checks", func(t *testing.T) {
		h := newRoot(t)
		h.testService()
		h.must(Command{Script: "cp /usr/bin/test /usr/local/bin/check"})
		h.must(start("/usr/local/bin/check -d /run"))
	})
	t.Run("it does not answer", func(t *testing.T) {
		h := newRoot(t)
		s := h.testService()
		h.must(Command{Script: "cp /usr/bin/cat /usr/local/bin/check; systemctl enable a.service"})
		r := h.run(start("/usr/local/bin/check /none"))
		want := "start a.service: it runs, but its API does not answer: /none: No such file or directory; " +
			"the last lines of its journal:\n"
		if r.Status != 1 || !strings.HasPrefix(r.Stderr, want) {
			t.Errorf("exit %d\n got %q\nwant %q", r.Status, r.Stderr, want)
		}
		if c := h.change(s); c.Action != Restart || c.Reason != "its API did not answer after the last start" {
			t.Errorf("the next plan: %+v", c)
		}
	})
	t.Run("it hangs", func(t *testing.T) {
		h := newRoot(t)
		h.testService()
		h.must(Command{Script: "cp /bin/sh /usr/local/bin/check"})
		h.write("/usr/local/bin/hang", "echo try >>/run/fake/tries; sleep 3; echo no answer >&2; exit 1", 0o644)
		r := h.run(start("/usr/local/bin/check /usr/local/bin/hang"))
		if want := "start a.service: it runs, but its API does not answer: no answer; "; r.Status != 1 || !strings.HasPrefix(r.Stderr, want) {
			t.Errorf("exit %d\n got %q\nwant %q", r.Status, r.Stderr, want)
		}
		if got := strings.Count(h.read("/run/fake/tries"), "try"); got != 7 {
			t.Errorf("%d tries of 3.25 s each, want the 7 that begin within 20 s", got)
		}
	})
}
