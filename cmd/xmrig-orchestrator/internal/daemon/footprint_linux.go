package daemon

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// disableHugePages keeps the kernel from backing the heap with huge pages. On
// hosts that always use them, a heap of 2 MB would take 3 MB more.
func disableHugePages() error {
	const prSetTHPDisable = 41
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetTHPDisable, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("disable huge pages: %w", errno)
	}
	return nil
}

// A region is a range of addresses.
type region struct{ start, end uintptr }

// codeRegions returns where the program's own file is mapped read-only:
// proc_pid_maps(5).
func codeRegions() ([]region, error) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	var code []region
	for line := range strings.Lines(string(maps)) {
		var r region
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &r.start, &r.end, &mode); n != 3 {
			continue
		}
		if path := strings.TrimSpace(line); strings.HasSuffix(path, " "+exe) && (mode == "r-xp" || mode == "r--p") {
			code = append(code, r)
		}
	}
	return code, nil
}

// releaseCode drops the program's pages from the agent's resident memory. They
// stay in the page cache, and each comes back when it is used again. Most of
// SQLite's are used at the start only.
func releaseCode(code []region) {
	for _, r := range code {
		syscall.RawSyscall(syscall.SYS_MADVISE, r.start, r.end-r.start, syscall.MADV_DONTNEED)
	}
}
