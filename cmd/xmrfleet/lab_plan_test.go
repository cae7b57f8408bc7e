//go:build lab

package main

import (
	"regexp"
	"strings"
	"testing"

	"xmrfleet/modules/agent"
)

// TestPlanReads compares whole plans as people read them: of new hosts, of one
// on which much has moved, and of one that is to be left.
func TestPlanReads(t *testing.T) {
	f := newFleet(t, `variable "state" { default = "running" }
host "mini-1" {
  xmrig { state = var.state }
}
host "mini-2" {
  xmrig { max_threads_hint = 75 }
}`, "mini-1", "mini-2")
	reads := func(want string, args ...string) {
		t.Helper()
		text := f.mustRun(exitDone, append([]string{"plan"}, args...)...).stdout
		text = regexp.MustCompile(`[0-9a-f]{12}…`).ReplaceAllString(text, "SUM")
		text = strings.Replace(text, "version "+agent.Version, "version VERSION", 1)
		check(t, took.ReplaceAllString(text, "\n"), want)
	}
	reads(`
  ~ mini-1, mini-2    2 hosts, same changes but for content
      + create  directory /etc/xmrig  mode 0755, owner root:root
      + create  journal xmrig  mode 0644, owner root:root, 5 lines
      + create  user xmrig  group xmrig, user xmrig (system, no home, no login)
      + create  binary xmrig  version 6.26.0, target /usr/local/lib/xmrfleet/SUM/xmrig
      + create  file /etc/xmrig/config.json  mode 0640, owner root:xmrig, content differs by host
      + create  unit xmrig.service  mode 0644, owner root:root, 36 lines
      + create  executable /usr/local/bin/xmrig-orchestrator  mode 0755, owner root:root, version VERSION
      + create  file /etc/xmrig/orchestrator.json  mode 0600, owner root:root, 11 lines
      + create  unit xmrig-orchestrator.service  mode 0644, owner root:root, 46 lines
      + start   service xmrig  start at boot: disabled -> enabled
      + start   service xmrig-orchestrator  start at boot: disabled -> enabled
      (new files in full: xmrfleet render mini-1, or -v)

Plan: 2 of 2 hosts to change, 22 changes.
`)
	f.apply()
	f.sh("mini-1", `
chmod 755 /etc/xmrig/config.json
sed -i 's/"max-threads-hint": 100/"max-threads-hint": 7/' /etc/xmrig/config.json
chmod 777 /etc/xmrig
usermod -s /bin/bash xmrig
mkdir /etc/systemd/system/xmrig.service.d
echo '[Service]' >/etc/systemd/system/xmrig.service.d/a.conf
touch /etc/systemd/system/xmrig-orchestrator.service
ln -sfn /bin/true /usr/local/bin/xmrig
echo ' ' >>/etc/xmrig/orchestrator.json
echo '# mine' >>/etc/systemd/journald@xmrig.conf
systemctl disable -q --now xmrig`)
	reads(`
  ~ mini-1
      ~ update  directory /etc/xmrig
            mode: 0777 -> 0755
      ~ update  journal xmrig
              MaxFileSec=1day
            - # mine
      ~ update  user xmrig
            shell: /bin/bash -> no login
      ~ update  binary xmrig
            version: unknown -> 6.26.0
            target: /bin/true -> /usr/local/lib/xmrfleet/SUM/xmrig
      ~ update  file /etc/xmrig/config.json
            mode: 0755 -> 0640
                  "huge-pages": true,
            -     "max-threads-hint": 7
            +     "max-threads-hint": 100
              },
      - delete  drop-ins /etc/systemd/system/xmrig.service.d
      ~ update  file /etc/xmrig/orchestrator.json: content differs (not shown)
      + start   service xmrig  start at boot: disabled -> enabled

Plan: 1 of 1 host to change, 8 changes.
`, "-l", "mini-1")
	f.apply()
	reads(`
  ~ mini-1
      ~ update  file /etc/xmrig/orchestrator.json
              "database": "/var/lib/xmrig-orchestrator/orchestrator.sqlite3",
            - "desired": "running",
            + "desired": "stopped",
              "hostname": "",
      - stop    service xmrig  start at boot: enabled -> disabled
      ~ restart service xmrig-orchestrator: the running process has the old config

Plan: 1 of 1 host to change, 3 changes, 1 restart.
`, "-l", "mini-1", "--var", "state=stopped")
	f.sh("mini-1", `rm /etc/xmrig/config.json; ln -s /dev/null /etc/xmrig/config.json`)
	reads(`
  ~ mini-1
      - stop    service xmrig  start at boot: enabled -> disabled
      - stop    service xmrig-orchestrator  start at boot: enabled -> disabled
      - delete  unit xmrig.service
      - delete  file /etc/xmrig/config.json  it is a link
      - delete  binary xmrig  link /usr/local/lib/xmrfleet/SUM/xmrig, stored binary /usr/local/lib/xmrfleet/SUM
      - delete  user xmrig  group xmrig
      - delete  unit xmrig-orchestrator.service
      - delete  file /etc/xmrig/orchestrator.json
      - delete  executable /usr/local/bin/xmrig-orchestrator
      - delete  directory /var/lib/xmrig-orchestrator
      - delete  journal xmrig  configuration /etc/systemd/journald@xmrig.conf

Plan: 1 of 1 host to change, 11 changes.
`, "-l", "mini-1", "--var", "state=absent")
}
