//go:build lab

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/modules/agent"
)

// A fault is something that happens during an apply. When do returns, it is over,
// but for what it leads to.
type fault struct {
	name string
	do   func(*round)

	slow bool // takes half a minute, whatever the machine
	boot bool // a host boots, and may refuse logins for a moment yet
}

var faults = []fault{
	{name: "client killed by KILL", do: signalled(syscall.SIGKILL)},
	{name: "client ended by TERM", do: signalled(syscall.SIGTERM)},
	{name: "client ended by INT", do: signalled(syscall.SIGINT)},
	{name: "client ended by INT, abandoned", do: func(r *round) {
		signalled(syscall.SIGINT)(r)
		time.Sleep(echoTime + echoTime/10)
		signalled(syscall.SIGINT)(r)
	}},
	{name: "client ended by HUP", do: signalled(syscall.SIGHUP)},
	{name: "link cut for 1 s", do: cuts(time.Second)},
	{name: "link cut for 5 s", do: cuts(5 * time.Second)},
	{name: "link cut for 40 s", do: cuts(40 * time.Second), slow: true},
	{name: "remote shell killed", do: func(r *round) { r.each(killShell) }},
	{name: "login killed", do: func(r *round) { r.each(killLogin) }},
	{name: "disk of the programs full", do: fills("/usr/local", 2048)},
	{name: "disk of the configuration full", do: fills("/etc/xmrig", 6)},
	{name: "agent killed", do: func(r *round) { r.harm(`systemctl kill -s KILL xmrig-orchestrator || :`) }},
	{name: "miner killed", do: func(r *round) { r.harm(`systemctl kill -s KILL xmrig || :`) }},
	{name: "another file applied", do: appliesAnother},
	{name: "miner's unit deleted", do: func(r *round) { r.harm(`rm -f /etc/systemd/system/xmrig.service`) }},
	{name: "agent's unit deleted and forgotten", do: func(r *round) {
		r.harm(`rm -f /etc/systemd/system/xmrig-orchestrator.service; systemctl daemon-reload`)
	}},
	{name: "daemon-reload by another", do: func(r *round) {
		for range 5 {
			r.each(`systemctl daemon-reload`)
		}
	}},
	{name: "database locked", do: locksDatabase},
	{name: "host rebooted", do: boots((*lab.Host).Reboot), boot: true},
	{name: "power lost", boot: true, do: boots(func(h *lab.Host, ctx context.Context) error {
		if err := h.Kill(ctx); err != nil {
			return err
		}
		return h.Start(ctx)
	})},
}

// each runs a script on the hosts of the fault.
func (r *round) each(script string, args ...string) {
	r.t.Helper()
	for _, host := range r.hosts {
		r.sh(host, script, args...)
	}
}

// harm is each for a script that changes what an apply changes. What is running
// is seen before.
func (r *round) harm(script string, args ...string) {
	r.t.Helper()
	for _, host := range r.hosts {
		r.see(host, script, args...)
		r.harmed[host] = time.Now()
	}
}

// signalled sends a signal to the client, if it still runs.
func signalled(s syscall.Signal) func(*round) {
	return func(r *round) { r.running.cmd.Process.Signal(s) } // an error: it has ended
}

func cuts(length time.Duration) func(*round) {
	return func(r *round) {
		for _, host := range r.hosts {
			if err := r.lab.Host(host).Cut(context.Background()); err != nil {
				r.t.Fatal(err)
			}
		}
		time.Sleep(length)
		for _, host := range r.hosts {
			if err := r.lab.Host(host).Join(context.Background()); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

// killShell kills who holds the lock, killLogin the sshd that it came through.
const (
	killShell = `{ read -r _ && read -r pid _; } 2>/dev/null </run/xmrfleet/holder || exit 0
		kill -s KILL "$pid" 2>/dev/null; :`
	killLogin = `{ read -r _ && read -r pid _; } 2>/dev/null </run/xmrfleet/holder || exit 0
		while [ "${pid:-1}" -gt 1 ]; do
			case $(cat "/proc/$pid/comm" 2>/dev/null) in sshd*) kill -s KILL "$pid"; exit 0 ;; esac
			pid=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$pid/stat" 2>/dev/null)
		done
		:`
)

// fills leaves so many KiB at most on the file system of a directory until the
// apply has ended. What was written there meanwhile stays.
func fills(dir string, most int) func(*round) {
	return func(r *round) {
		r.harm(fillDisk, dir, fmt.Sprint(r.source.IntN(most)))
		if !r.ended() {
			return // which is found out
		}
		r.harm(emptyDisk, dir)
	}
}

const (
	fillDisk = `set -e
		[ -d "$1" ] || exit 0
		mkdir -p /run/campaign
		mount --bind "$1" /run/campaign
		mount --make-private /run/campaign
		used=$(du -sk "$1" | cut -f1)
		mount -t tmpfs -o "size=$((used + 1024 + $2))k,mode=0755" campaign "$1"
		cp -a /run/campaign/. "$1"
		free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
		[ "$free" -le "$2" ] || head -c "$((free - $2))k" /dev/zero >"$1/ballast"`
	emptyDisk = `set -e
		mountpoint -q /run/campaign || exit 0
		rm -f "$1/ballast"
		cd "$1"
		find . | while IFS= read -r name; do
			[ -d "$name" ] && [ ! -L "$name" ] && [ -d "/run/campaign/$name" ] && continue
			[ ! -L "$name" ] && [ ! -d "$name" ] && cmp -s "$name" "/run/campaign/$name" &&
				[ "$(stat -c '%a %u %g' "$name")" = "$(stat -c '%a %u %g' "/run/campaign/$name")" ] && continue
			rm -rf "/run/campaign/$name"
			cp -a "$name" "/run/campaign/$name"
		done
		cd /run/campaign
		find . -depth | while IFS= read -r name; do
			[ -e "$1/$name" ] || [ -L "$1/$name" ] || rm -rf "$name"
		done
		cd /
		umount -l "$1"
		umount -l /run/campaign
		rmdir /run/campaign
		rmdir "$1" 2>/dev/null || :`
)

// appliesAnother runs a second apply, of another file, to its end.
func appliesAnother(r *round) {
	other := r.want.another(r.source)
	r.other = &other
	if err := os.WriteFile(filepath.Join(r.dir, "other.hcl"), []byte(other.text(r.releases)), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.fleet.run("apply", "--yes", "--file", "other.hcl", "--lock-timeout", fmt.Sprintf("%ds", 1+r.source.IntN(10)))
	for _, host := range campaignHosts {
		r.harmed[host] = time.Now()
	}
}

// file is a file of a host as it is seen from here.
func (f *fleet) file(host, path string) string {
	return filepath.Join(f.lab.Dir(), "hosts", host, "root", path)
}

// locksDatabase holds the agents' databases, one file and one kernel, for some
// seconds.
func locksDatabase(r *round) {
	length := time.Duration(3+r.source.IntN(5)) * time.Second
	var unlock []func()
	for _, host := range r.hosts {
		if _, err := os.Stat(r.file(host, agent.Database)); err == nil {
			unlock = append(unlock, r.lockDatabase(host))
		}
	}
	if unlock != nil {
		time.Sleep(length)
	}
	for _, u := range unlock {
		u()
	}
}

func (r *round) lockDatabase(host string) (unlock func()) {
	cmd := exec.Command("sqlite3", r.file(host, agent.Database))
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	fmt.Fprintln(in, ".timeout 20000\nBEGIN IMMEDIATE;\nSELECT 'locked';")
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "locked" {
		r.t.Logf("the database of %s was not locked: %v %q", host, err, line) // it may be gone by now
	}
	return func() {
		in.Close()
		cmd.Wait()
	}
}

func boots(boot func(*lab.Host, context.Context) error) func(*round) {
	return func(r *round) {
		for _, host := range r.hosts {
			if err := boot(r.lab.Host(host), context.Background()); err != nil {
				r.t.Fatal(err)
			}
			labtest.Until(r.t, r.lab.Host(host), func() string { return "" }, `! systemctl is-system-running | grep -E 'initializing|starting'`)
			r.harmed[host] = time.Now()
		}
	}
}
