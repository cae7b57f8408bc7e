package screen

import "golang.org/x/sys/unix"

// Requests of termios(4). Setting drops what was typed and not read.
const (
	getModes = unix.TIOCGETA
	setModes = unix.TIOCSETAF
)
