package systemd

import (
	"bytes"
	"os"
)

// BootID returns the kernel's ID of the present boot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(b)), err
}
