//go:build lab

package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/internal/release"
	"xmrfleet/cmd/xmrfleet/supply"
)

// member returns the xmrig member of a release.
func member(t *testing.T, a release.Archive) []byte {
	t.Helper()
	packed, err := os.Open(a.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if path.Base(h.Name) == "xmrig" {
			binary, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return binary
		}
	}
}

// place writes a binary to a host.
func (f *fleet) place(host, file string, binary []byte, mode os.FileMode) {
	f.t.Helper()
	if err := f.lab.Host(host).WriteFile(f.t.Context(), file, binary, mode); err != nil {
		f.t.Fatal(err)
	}
}

// TestAdopt finds the right XMRig on the hosts already, in the places in which
// people put one.
func TestAdopt(t *testing.T) {
	a := labtest.Archive(t)
	stored := store(a.BinarySHA256, "xmrig")[1]
	const link = "/usr/local/bin/xmrig"
	hosts := map[string]struct {
		file, owner string
		mode        os.FileMode
		target      string // of the link
	}{
		"opt":      {"/opt/xmrig-6.26.0/xmrig", "root", 0o755, "/opt/xmrig-6.26.0/xmrig"},
		"home":     {"/home/deploy/xmrig/xmrig", "deploy", 0o755, stored},
		"in-place": {link, "root", 0o755, stored},
		"writable": {"/opt/xmrig/xmrig", "root", 0o777, stored},
	}
	var names []string
	extra := ""
	for name := range hosts {
		names = append(names, name)
		extra += "host \"" + name + "\" {}\n"
	}
	f := newFleet(t, extra, names...)
	binary := member(t, a)
	received := make(map[string]int)
	for name, h := range hosts {
		f.place(name, h.file, binary, h.mode)
		f.sh(name, `chown "$2" "$1"`, h.file, h.owner)
		received[name] = f.received(name)
	}
	f.apply()
	f.converged()
	limit := len(supply.Agents()["amd64"].Gzip()) + 200<<10
	for name := range hosts {
		if n := f.received(name) - received[name]; n > limit {
			t.Errorf("%s: %d bytes were sent although the binary is there", name, n)
		}
	}
	next, err := release.BuildVersion(t.Context(), t.TempDir(), "6.26.1")
	if err != nil {
		t.Fatal(err)
	}
	f.use(next)
	f.apply()
	f.use(a)
	f.apply()
	f.converged()
	for name, h := range hosts {
		if got := f.sh(name, `readlink /usr/local/bin/xmrig`); got != h.target+"\n" {
			t.Errorf("%s: the link leads to %q, want %q", name, got, h.target)
		}
		if got := f.sh(name, `readlink -f /proc/$(systemctl show -p MainPID --value xmrig)/exe`); got != h.target+"\n" {
			t.Errorf("%s: %q runs, want %q", name, got, h.target)
		}
	}

	f.write(strings.Replace(preamble, "version = ", "state = \"absent\"\n  version = ", 1) + extra)
	f.apply()
	f.converged()
	for name, h := range hosts {
		got := f.sh(name, `sha256sum "$1"; find /usr/local -name 'xmrig*' ! -path "$1"`, h.file)
		if got != a.BinarySHA256+"  "+h.file+"\n" {
			t.Errorf("%s: absent leaves %q", name, got)
		}
	}
}

// TestExisting takes what is there, and nothing else.
func TestExisting(t *testing.T) {
	f := newFleet(t, "host \"with\" {}\nhost \"without\" {}\n", "with", "without")
	f.write(strings.Replace(preamble, "version = ", "install = \"existing\"\n  version = ", 1) + "host \"with\" {}\nhost \"without\" {}\n")
	a := labtest.Archive(t)
	f.place("with", "/opt/xmrig-6.26.0/xmrig", member(t, a), 0o755)
	before := f.footprint("without")
	o := f.mustRun(exitPartial, "apply", "--yes")
	contains(t, o.stdout, `! without  untouched: install = "existing": no such xmrig on the host (PATH, /usr/local/bin, /usr/bin, /opt, /home)`,
		"Apply: 1 of 2 hosts converged")
	if got := moved(before, f.footprint("without")); got != nil {
		t.Errorf("moved %q", got)
	}
	f.mustRun(exitDone, "plan", "--detailed-exitcode", "-l", "with")
	f.mustRun(exitError, "apply", "--yes", "-l", "without")
	f.place("without", "/usr/bin/xmrig", member(t, a), 0o755)
	f.apply()
	f.converged()
}

// TestPull has the hosts download the archive themselves.
func TestPull(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	a := labtest.Archive(t)
	l, err := net.Listen("tcp", net.JoinHostPort(f.lab.Gateway(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{Handler: http.FileServer(http.Dir(path.Dir(a.Path)))}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	url := "http://" + l.Addr().String() + "/" + path.Base(a.Path)
	pull := func(url, archive, binary string) {
		f.write(preamble + "host \"mini-1\" {\n  xmrig {\n" +
			fmt.Sprintf("    install = \"pull\"\n    source = %q\n    sha256 = %q\n    binary_sha256 = %q\n", url, archive, binary) + "  }\n}\n")
	}
	other := strings.Repeat("0", 64)
	for _, c := range []struct{ url, archive, binary, want string }{
		{url, other, a.BinarySHA256, "binary xmrig: download " + url + ": sha256 is " + a.SHA256 + ", want " + other},
		{url, a.SHA256, other, "binary xmrig: install " + store(other, "xmrig")[1] + ": sha256 is " + a.BinarySHA256 + ", want " + other},
		{url + ".none", a.SHA256, a.BinarySHA256, "The requested URL returned error: 404"},
		{"http://" + f.lab.Gateway() + ":9/x.tar.gz", a.SHA256, a.BinarySHA256, "Failed to connect to " + f.lab.Gateway() + " port 9"},
	} {
		pull(c.url, c.archive, c.binary)
		contains(t, f.mustRun(exitPartial, "apply", "--yes").stdout, c.want)
		if got := f.sh("mini-1", `find /usr/local -name '*xmrig*' ! -path /usr/local/lib/xmrfleet; ls -A /usr/local/lib/xmrfleet`); got != "" {
			t.Errorf("%s leaves %q", c.want, got)
		}
	}
	pull(url, a.SHA256, a.BinarySHA256)
	f.apply()
	f.converged()
	if got := f.sh("mini-1", `readlink /usr/local/bin/xmrig`); got != store(a.BinarySHA256, "xmrig")[1]+"\n" {
		t.Errorf("the link leads to %q", got)
	}
}

// ruby is a host as the specification's install.sh leaves it. The unit of the
// daemon wants a docker.target, which there is none of on a real host: this one
// has it, so that the daemon runs.
const ruby = `
set -e
useradd -r -s /bin/false xmrig
mkdir -p /var/log/xmrig /etc/xmrig /mnt/rails-storage
chown xmrig:xmrig /var/log/xmrig
touch /mnt/rails-storage/production.sqlite3
echo '{"autosave": true, "http": {"enabled": true, "host": "127.0.0.1", "port": 8080, "access-token": null, "restricted": true},
	"pools": [{"url": "pool.hashvault.pro:443", "user": "x", "tls": true}], "donate-level": 1}' >/etc/xmrig/config.json
printf '#!/bin/sh\nwhile :; do echo poll; sleep 1; done\n' >/usr/local/bin/xmrig-orchestrator
chmod +x /usr/local/bin/xmrig-orchestrator
printf '[Unit]\nDescription=Docker\n' >/etc/systemd/system/docker.target
cat >/etc/systemd/system/xmrig.service <<EOF
[Unit]
Description=XMRig Cryptocurrency Miner
After=network.target

[Service]
Type=simple
User=xmrig
ExecStart=/usr/local/bin/xmrig --config=/etc/xmrig/config.json
Restart=on-failure
RestartSec=10s
StandardOutput=append:/var/log/xmrig/xmrig.log
StandardError=append:/var/log/xmrig/xmrig.log
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ProtectHome=true
ReadWritePaths=/var/log/xmrig

[Install]
WantedBy=multi-user.target
EOF
cat >/etc/systemd/system/xmrig-orchestrator.service <<EOF
[Unit]
Description=XMRig Orchestrator Daemon
After=docker.target
Requires=docker.target

[Service]
Type=simple
User=root
ExecStart=/usr/local/bin/xmrig-orchestrator
Restart=always
RestartSec=10s
Environment="XMRIG_DB_PATH=/mnt/rails-storage/production.sqlite3"
StandardOutput=append:/var/log/xmrig/orchestrator.log
StandardError=append:/var/log/xmrig/orchestrator.log

[Install]
WantedBy=multi-user.target
EOF
printf '/var/log/xmrig/*.log {\n    daily\n    rotate 7\n}\n' >/etc/logrotate.d/xmrig
systemctl daemon-reload
systemctl enable -q --now xmrig xmrig-orchestrator`

// TestRubyDaemon replaces an installation of the specification in place.
func TestRubyDaemon(t *testing.T) {
	f := newFleet(t, mini1(), "mini-1")
	old, err := release.BuildVersion(t.Context(), t.TempDir(), "6.21.0")
	if err != nil {
		t.Fatal(err)
	}
	f.place("mini-1", "/usr/local/bin/xmrig", member(t, old), 0o755)
	f.sh("mini-1", ruby)
	f.until("mini-1", `pgrep -f 'sh /usr/local/bin/xmrig-orchestrator' && systemctl is-active xmrig`)

	before := f.footprint("mini-1")
	const line = `agent { database = "/mnt/rails-storage/production.sqlite3" }`
	contains(t, f.mustRun(exitError, "plan").stdout, line)
	contains(t, f.mustRun(exitError, "apply", "--yes").stdout, line)
	if got := moved(before, f.footprint("mini-1")); got != nil {
		t.Errorf("moved %q", got)
	}

	f.migrate("mini-1", "/mnt/rails-storage/production.sqlite3")
	f.write(preamble + "host \"mini-1\" {\n  " + line + "\n}\n")
	f.apply()
	f.converged()
	got := f.sh("mini-1", `
		ls /etc/logrotate.d | grep -c xmrig
		pgrep -fc '^/bin/sh /usr/local/bin/xmrig-orchestrator'
		systemctl is-active xmrig xmrig-orchestrator
		systemctl show -p Requires --value xmrig-orchestrator | grep -c docker
		readlink /usr/local/bin/xmrig
		ls /usr/local/lib/xmrfleet | sort
		xmrig-orchestrator check | grep -o '"xmrig_version":"[^"]*"'`)
	a := labtest.Archive(t)
	sums := slices.Sorted(slices.Values([]string{a.BinarySHA256, old.BinarySHA256}))
	want := "0\n0\nactive\nactive\n0\n" + store(a.BinarySHA256, "xmrig")[1] + "\n" +
		strings.Join(sums, "\n") + "\n\"xmrig_version\":\"6.26.0\"\n"
	if got != want {
		t.Errorf("after the takeover\n got %s\nwant %s", got, want)
	}
	f.until("mini-1", `xmrig-orchestrator status --json`)
	f.sh("mini-1", `[ -s /mnt/rails-storage/production.sqlite3 ]`)
}
