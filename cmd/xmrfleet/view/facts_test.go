package view

import (
	"errors"
	"testing"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

func TestDescribed(t *testing.T) {
	debian := modules.Facts{Hostname: "m1", OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-28-amd64", Arch: "x86_64", Systemd: 252,
		Threads: 32, MemoryKiB: 32768000, BootID: "b0",
		XMRigs: []modules.FoundBinary{{Path: "/usr/local/bin/xmrig", Real: "/opt/xmrig/xmrig", SHA256: "ab", Protected: true}}}
	alpine := modules.Facts{Hostname: "m2", OS: "Alpine\nLinux", Kernel: "6.6", Arch: "aarch64", Threads: 1, MemoryKiB: 1024}
	e := Facts{Took: time.Second, Hosts: []HostFacts{{Host: "m1", Facts: debian}, {Host: "m2", Facts: alpine},
		{Host: "dead", Err: hint.WithKind(errors.New("connect 10.0.0.9:22: no route to host"), "unreachable", "is it on?")}}}
	out, err := told(e)
	check(t, out)
	equal(t, err, "")
	check(t, jsonOf(e))
}
