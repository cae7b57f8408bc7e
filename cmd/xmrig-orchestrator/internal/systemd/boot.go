package systemd

import (
	"bytes"
	"os"
)

// BootID is another one after each boot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(b)), err
}
