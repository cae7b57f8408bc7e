package hosttest

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Proc is where the host's proc(5) is.
func (h *Host) Proc() string { return filepath.Join(h.Dir, "proc") }

// SinceBoot is the monotonic clock as the agent reads it, once in each poll. It
// goes on by one interval each time, however long the poll took.
func (h *Host) SinceBoot() (time.Duration, error) {
	polls := time.Duration(h.observed.Add(1))
	return 100*time.Hour + polls*time.Duration(h.Settings.Interval), nil
}

// writeStat makes a process that has not used any CPU time.
func (h *Host) writeStat(pid int) {
	h.T.Helper()
	h.Write(fmt.Sprintf("proc/%d/stat", pid), fmt.Sprintf("%d (xmrig) S 1 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 5 0 0 0 0 0\n", pid))
}

// Held has proc(5) show that a process has the API's port; with pid 0, nobody
// has. The miner is process 10.
func (h *Host) Held(pid int, exe string) {
	h.T.Helper()
	if err := os.RemoveAll(h.Proc()); err != nil {
		h.T.Fatal(err)
	}
	address, err := net.ResolveTCPAddr("tcp4", h.Settings.API.Address)
	if err != nil {
		h.T.Fatal(err)
	}
	for _, dir := range []string{"net", "10/fd", fmt.Sprint(pid, "/fd")} {
		if err := os.MkdirAll(filepath.Join(h.Proc(), dir), 0o755); err != nil {
			h.T.Fatal(err)
		}
	}
	h.writeStat(10)
	h.Write("proc/10/cgroup", "0::/system.slice/xmrig.service\n")
	table := "header\n"
	if pid != 0 {
		table += fmt.Sprintf("0: %08X:%04X 00000000:0000 0A 0:0 00:0 0 0 0 %d\n",
			binary.NativeEndian.Uint32(address.IP.To4()), address.Port, 4242)
		h.link("socket:[4242]", fmt.Sprint(pid, "/fd/3"))
		h.link(exe, fmt.Sprint(pid, "/exe"))
		if pid != 10 {
			h.Write(fmt.Sprintf("proc/%d/cgroup", pid), "0::/user.slice/user-0.slice/session-1.scope\n")
		}
	}
	h.Write("proc/net/tcp", table)
}

func (h *Host) link(to, name string) {
	h.T.Helper()
	if err := os.Symlink(to, filepath.Join(h.Proc(), name)); err != nil {
		h.T.Fatal(err)
	}
}
