package screen

import "golang.org/x/sys/unix"

// Requests of termios(3). Setting drops what was typed and not read.
const (
	getModes = unix.TCGETS
	setModes = unix.TCSETSF
)
