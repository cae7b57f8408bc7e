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
	check(t, out, `
HOST  SYSTEM                          KERNEL          ARCH     SYSTEMD  THREADS   MEMORY  XMRIG
m1    Debian GNU/Linux 12 (bookworm)  6.1.0-28-amd64  x86_64       252       32   31 GiB  /usr/local/bin/xmrig
m2    Alpine Linux                    6.6             aarch64        -        1  1.0 MiB  -
  ! m2  host m2 (Alpine
      Linux): PID 1 is not systemd; xmrfleet manages Linux hosts with systemd 245 or later
  ! dead  connect 10.0.0.9:22: no route to host
      hint: is it on?

Facts: 3 hosts, 33 threads, 31 GiB. 1 host was not read.    1.0s
`)
	check(t, err, "")
	check(t, jsonOf(e), `
{"type":"host_facts","host":"m1","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"m1: Debian GNU/Linux 12 (bookworm)","facts":{"hostname":"m1","os":"Debian GNU/Linux 12 (bookworm)","kernel":"6.1.0-28-amd64","arch":"x86_64","systemd":252,"threads":32,"memory_kib":32768000,"selinux":false,"boot_id":"b0","xmrigs":[{"path":"/usr/local/bin/xmrig","real":"/opt/xmrig/xmrig","sha256":"ab","protected":true}],"supported":true}}
{"type":"host_facts","host":"m2","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"m2: Alpine\nLinux","facts":{"hostname":"m2","os":"Alpine\nLinux","kernel":"6.6","arch":"aarch64","systemd":0,"threads":1,"memory_kib":1024,"selinux":false,"boot_id":"","xmrigs":[],"supported":false}}
{"type":"host_unreachable","host":"dead","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"error","@message":"dead: connect 10.0.0.9:22: no route to host","error":"connect 10.0.0.9:22: no route to host","kind":"unreachable","hint":"is it on?"}
{"type":"facts_summary","@timestamp":"1970-01-01T00:00:00.000000Z","@level":"info","@message":"Facts: 3 hosts, 33 threads, 31 GiB. 1 host was not read.","hosts":3,"took_ms":1000}
`)
}
