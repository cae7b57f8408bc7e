package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroups lists the directories below which labs keep their processes: the first
// in the unified hierarchy, and on a hybrid machine also one in systemd's old one,
// where two containers must not meet either.
func cgroups() []string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	var unified, named []string
	for line := range strings.Lines(string(text)) {
		mount, super, found := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if !found || len(fields) < 5 {
			continue
		}
		dir := filepath.Join(fields[4], "xmrfleet-lab")
		switch {
		case strings.HasPrefix(super, "cgroup2 "):
			unified = append(unified, dir)
		case strings.HasPrefix(super, "cgroup ") && strings.Contains(super, "name=systemd"):
			named = append(named, dir)
		}
	}
	return append(unified[:min(1, len(unified))], named[:min(1, len(named))]...)
}

// populated reports whether a process lives in a unified cgroup or below it.
func populated(cgroup string) bool {
	text, err := os.ReadFile(filepath.Join(cgroup, "cgroup.events"))
	return err == nil && strings.Contains(string(text), "populated 1")
}

// endProcesses kills what lives in a unified cgroup and below it, which is
// nothing but what was put there.
func endProcesses(cgroup string) error {
	return os.WriteFile(filepath.Join(cgroup, "cgroup.kill"), []byte("1"), 0)
}

// leader finds the process that is PID 1 of the container in cgroup, 0 if none.
func leader(cgroup string) int {
	text, err := os.ReadFile(filepath.Join(cgroup, "payload/init.scope/cgroup.procs"))
	if err != nil {
		return 0
	}
	for _, pid := range strings.Fields(string(text)) {
		status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			ids := strings.Fields(line)
			if len(ids) > 2 && ids[0] == "NSpid:" && ids[len(ids)-1] == "1" {
				n, _ := strconv.Atoi(pid)
				return n
			}
		}
	}
	return 0
}
