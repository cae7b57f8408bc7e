package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// held has proc(5) tell that a process has the API's port; with pid 0, nobody
// has. The miner is process 10.
func (h *host) held(pid int, exe string) {
	h.t.Helper()
	proc := filepath.Join(h.dir, "proc")
	if err := os.RemoveAll(proc); err != nil {
		h.t.Fatal(err)
	}
	address, err := net.ResolveTCPAddr("tcp4", h.settings.API.Address)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, dir := range []string{"net", "10/fd", fmt.Sprint(pid, "/fd")} {
		if err := os.MkdirAll(filepath.Join(proc, dir), 0o755); err != nil {
			h.t.Fatal(err)
		}
	}
	h.write("proc/10/cgroup", "0::/system.slice/xmrig.service\n")
	table := "header\n"
	if pid != 0 {
		table += fmt.Sprintf("0: %08X:%04X 00000000:0000 0A 0:0 00:0 0 0 0 %d\n",
			binary.NativeEndian.Uint32(address.IP.To4()), address.Port, 4242)
		h.link("socket:[4242]", fmt.Sprint(pid, "/fd/3"))
		h.link(exe, fmt.Sprint(pid, "/exe"))
		if pid != 10 {
			h.write(fmt.Sprintf("proc/%d/cgroup", pid), "0::/user.slice/user-0.slice/session-1.scope\n")
		}
	}
	h.write("proc/net/tcp", table)
}

func (h *host) link(to, name string) {
	h.t.Helper()
	if err := os.Symlink(to, filepath.Join(h.dir, "proc", name)); err != nil {
		h.t.Fatal(err)
	}
}

// Another XMRig on the API's port answers like the miner and is none: nothing
// that it says is believed, and nothing is restarted because of it.
func TestForeign(t *testing.T) {
	for _, policy := range []string{"evidence", "immediate"} {
		t.Run(policy, func(t *testing.T) {
			h := sound(t)
			h.settings.RestartPolicy = policy
			h.configure()
			h.held(20, "/home/a/xmrig")
			log, _ := h.start(true)
			problem := h.settings.API.Address + " is answered by another process (pid 20, /home/a/xmrig); to end it: kill 20"
			p := h.await("foreign", func(p health.Process) bool { return p.State == "unhealthy" })
			if p.LastError != problem || p.Hashrate != nil || p.Snapshot != nil || p.PID != 10 {
				t.Errorf("the row is %+v", p)
			}
			h.polled("foreign")
			h.polled("foreign still")
			if got := h.calls(); got != "" {
				t.Errorf("systemctl was told %s", got)
			}
			evidence := strings.Replace(problem, "; to end it: kill 20", " for ", 1)
			if out := h.caused(health.CausePortTaken); !strings.Contains(out, `"evidence":"`+evidence) {
				t.Errorf("the status is %s", out)
			}
			h.held(10, "/usr/local/bin/xmrig")
			h.await("ended", func(p health.Process) bool { return p.State == "running" && p.Hashrate != nil })
			if n := strings.Count(log.String(), "msg=\"miner unhealthy\" cause=port-taken"); n != 1 {
				t.Errorf("%d lines of it in the log:\n%s", n, log)
			}
		})
	}
}

// check is for the miner of the unit, not for whoever answers.
func TestCheckForeign(t *testing.T) {
	h := sound(t)
	h.held(20, "/opt/old/xmrig")
	out, _, err := h.command("check")
	problem := h.settings.API.Address + " is answered by another process (pid 20, /opt/old/xmrig); to end it: kill 20"
	want := `{"ok":false,"error":"` + problem + `","hashrate":[null,null,null],"pool_connected":false,"uptime":0}` + "\n"
	if out != want || err == nil || err.Error() != problem {
		t.Errorf("printed\n%s, %v\nwant\n%s", out, err, want)
	}
	h.held(10, "/usr/local/bin/xmrig")
	if out, _, err := h.command("check"); !strings.HasPrefix(out, `{"ok":true,`) || err != nil {
		t.Errorf("its own: %s, %v", out, err)
	}
	h.ends("inactive", "dead", "success", 1, 0, 0)
	if out, _, err := h.command("check"); err == nil {
		t.Errorf("of a unit that does not run: %s", out)
	}
	h.held(0, "")
	h.answer.Store(nil)
	_, _, err = h.command("check")
	if want := "miner api " + h.settings.API.Address + ": truncated answer: no end of its header"; err == nil || err.Error() != want {
		t.Errorf("nobody: %v, want %s", err, want)
	}
}
