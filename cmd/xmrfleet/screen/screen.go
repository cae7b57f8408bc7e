// Package screen shows texts on a terminal, each in the place of the one
// before. It knows nothing of what they say; what is typed is for its caller to
// read. Another system needs its terminal requests in a modes_GOOS.go.
package screen

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A Screen is a terminal on which each text takes the place of the one before.
// It is the terminal's other page: what was there before comes back when the
// screen is closed.
type Screen struct {
	in, out *os.File
	modes   *unix.Termios // of the terminal that is typed on; nil: nobody types
}

// Escape sequences of xterm, which all terminals of today understand: the
// other page, the cursor, the wrapping of long lines, and clearing.
const (
	enterPage = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
	leavePage = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	homeward  = "\x1b[H"
	restOf    = "\x1b[K"
	below     = "\x1b[J"
)

// Open returns nil where texts can only follow each other; kind is $TERM.
func Open(in, out *os.File, kind string) *Screen {
	if kind == "" || kind == "dumb" || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	s := &Screen{in: in, out: out}
	s.Enter()
	return s
}

// Enter begins an empty page, on which nothing that is typed appears. Ctrl-C
// and Ctrl-Z do what they always do.
func (s *Screen) Enter() {
	if modes, err := unix.IoctlGetTermios(int(s.in.Fd()), getModes); err == nil {
		s.modes = modes
		quiet := *modes
		quiet.Lflag &^= unix.ECHO | unix.ICANON
		quiet.Iflag &^= unix.IXON
		unix.IoctlSetTermios(int(s.in.Fd()), setModes, &quiet) // an error: what is typed appears
	}
	s.out.WriteString(enterPage)
}

// Close leaves the terminal as it was, without what was typed meanwhile.
func (s *Screen) Close() {
	s.out.WriteString(leavePage)
	if s.modes != nil {
		unix.IoctlSetTermios(int(s.in.Fd()), setModes, s.modes)
	}
}

// Write shows a text in place of what is there. A line is cleared before it is
// written: behind one that fills it, the cursor would still be on its last
// character.
func (s *Screen) Write(text []byte) (int, error) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	frame := homeward + restOf + strings.Join(lines, "\n"+restOf)
	if _, height := s.Size(); len(lines) < height {
		frame += "\n" + below
	}
	if _, err := s.out.WriteString(frame); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Size is what the terminal has room for.
func (s *Screen) Size() (width, height int) {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width == 0 || height == 0 {
		return 80, 24
	}
	return width, height
}
