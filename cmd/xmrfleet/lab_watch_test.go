//go:build lab

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"xmrfleet/cmd/internal/labtest"
	"xmrfleet/cmd/xmrfleet/screen"
)

// A page is what is to be seen on a terminal.
type page struct {
	lines []string
	row   int
}

func (p *page) String() string { return strings.Join(p.lines, "\n") }

// print writes text at the cursor, over what is there.
func (p *page) print(text string) {
	for len(p.lines) <= p.row {
		p.lines = append(p.lines, "")
	}
	old := []rune(p.lines[p.row])
	if at := utf8.RuneCountInString(text); at < len(old) {
		text += string(old[at:])
	}
	p.lines[p.row] = text
}

// A display is a terminal as far as xmrfleet uses one.
type display struct {
	own, other page // what was there before, and the other page
	onOther    bool
	cursor     bool
	wraps      bool
	entered    int
}

const columns = 200 // of the terminal of startOnTerminal

var sequences = regexp.MustCompile(`\x1b\[([?0-9]*)([a-zA-Z])|\n|[^\x1b\n]+`)

// displayed is what a terminal shows after a stream. A line is printed at once,
// so that nothing has to be known of columns but where a line ends.
func displayed(t *testing.T, stream string) *display {
	t.Helper()
	d := &display{cursor: true, wraps: true}
	line := 0 // columns of the line that were printed
	for _, m := range sequences.FindAllStringSubmatch(stream, -1) {
		p := &d.own
		if d.onOther {
			p = &d.other
		}
		switch m[0] {
		case "\n":
			p.row, line = p.row+1, 0
		case "\x1b[?1049h":
			d.onOther, d.other = true, page{}
			d.entered++
		case "\x1b[?1049l":
			d.onOther = false
		case "\x1b[?25h", "\x1b[?25l":
			d.cursor = m[2] == "h"
		case "\x1b[?7h", "\x1b[?7l":
			d.wraps = m[2] == "h"
		case "\x1b[2J":
			p.lines = nil
		case "\x1b[H":
			p.row, line = 0, 0
		case "\x1b[K":
			p.print("")
			p.lines[p.row] = string([]rune(p.lines[p.row])[:min(line, columns-1)])
		case "\x1b[J":
			if p.row < len(p.lines) {
				p.lines = p.lines[:p.row]
			}
		default:
			if m[1] != "" || m[2] != "" {
				t.Fatalf("unknown sequence %q", m[0])
			}
			p.print(m[0])
			line = utf8.RuneCountInString(m[0])
		}
	}
	return d
}

// What the terminal gets: the other page and back, and the start of each frame.
const (
	enterPage = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
	leavePage = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	homeward  = "\x1b[H"
)

// frames is how often the screen was drawn.
func frames(stream string) int { return strings.Count(stream, homeward) }

// awaitPage waits until the terminal shows what it should.
func (r *running) awaitPage(what string, good func(page string) bool) {
	r.t.Helper()
	r.await(what, func() bool { return good(r.page()) })
}

// page is what the terminal shows.
func (r *running) page() string {
	stream := r.stdout.String()
	if i := strings.LastIndex(stream, homeward); i >= 0 {
		stream = stream[:i] // the last frame may not be complete
	}
	return displayed(r.t, stream).other.String()
}

// shows waits for texts on the page.
func (r *running) shows(texts ...string) {
	r.t.Helper()
	r.awaitPage(fmt.Sprintf("%q", texts), func(page string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(page, text) })
	})
}

// echoes reports whether the terminal shows what is typed.
func (r *running) echoes() bool {
	r.t.Helper()
	modes, err := unix.IoctlGetTermios(int(r.terminal.Fd()), unix.TCGETS)
	if err != nil {
		r.t.Fatal(err)
	}
	return modes.Lflag&unix.ECHO != 0 && modes.Lflag&unix.ICANON != 0
}

// left fails unless the terminal is as it was, with the last round on it.
func (r *running) left(o outcome, texts ...string) {
	r.t.Helper()
	d := displayed(r.t, o.stdout)
	if d.onOther || !d.cursor || !d.wraps || !r.echoes() {
		r.t.Errorf("the terminal is left behind: on the other page %v, with a cursor %v, wrapping %v, echo %v",
			d.onOther, d.cursor, d.wraps, r.echoes())
	}
	contains(r.t, d.own.String(), texts...)
	if strings.Contains(d.own.String(), "^C") || strings.Count(d.own.String(), "Fleet: ") != 1 {
		r.t.Errorf("left on the terminal:\n%s", d.own.String())
	}
}

// TestWatch looks at two hosts, loses one of them and finds it again.
func TestWatch(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}
host "mini-2" {}
`, "mini-1", "mini-2")
	f.env["TERM"] = "xterm"
	for _, host := range []string{"mini-1", "mini-2"} {
		f.simulate(host, "speed=20 busy=0.2")
	}
	f.apply()
	logins := func(host string) int {
		return strings.Count(f.sh(host, `journalctl -q -t sshd -o cat`), "Accepted publickey for deploy")
	}
	before := logins("mini-1")
	r := f.startOnTerminal("status", "--watch=1s")
	r.shows("HOST ", "mini-1  running", "mini-2  running", "2 of 2 hosts healthy, 2 as described.")
	r.awaitPage("a time at the very end", regexp.MustCompile(`(?m)^Fleet: .{184} \d\d:\d\d:\d\d$`).MatchString)
	if r.echoes() {
		t.Error("what is typed appears in the table")
	}

	ctx := context.Background()
	if err := f.lab.Host("mini-2").Cut(ctx); err != nil {
		t.Fatal(err)
	}
	r.shows("mini-1  running", "mini-2  unknown", "no answer for ", "1 of 2 hosts healthy, 1 as described.")
	drawn := frames(r.stdout.String())
	r.await("a frame while a host hangs", func() bool { return frames(r.stdout.String()) > drawn+2 })
	r.shows("mini-2  unknown", "no answer within 5s")
	if err := f.lab.Host("mini-2").Join(ctx); err != nil {
		t.Fatal(err)
	}
	r.shows("mini-1  running", "mini-2  running", "2 of 2 hosts healthy, 2 as described.")

	r.resize(40, 6)
	r.awaitPage("a page of 40 columns and 6 lines", func(page string) bool {
		lines := strings.Split(page, "\n")
		return len(lines) <= 6 && !slices.ContainsFunc(lines, func(line string) bool { return utf8.RuneCountInString(line) > 40 }) &&
			strings.Contains(page, "mini-2  running")
	})
	r.resize(200, 50)
	r.shows("CHECKED", "POOL")

	r.answer("garbage\x03")
	o := r.wait(exitInterrupted)
	r.left(o, "mini-1  running", "mini-2  running", "2 of 2 hosts healthy, 2 as described.")
	if n := logins("mini-1") - before; n != 1 {
		t.Errorf("%d logins to a host that was there all the time", n)
	}
	if frames(o.stdout) < 10 {
		t.Errorf("%d frames", frames(o.stdout))
	}
}

func (r *running) resize(width, height uint16) {
	r.t.Helper()
	if err := unix.IoctlSetWinsize(int(r.terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		r.t.Fatal(err)
	}
}

// TestWatchEnds in all other ways.
func TestWatchEnds(t *testing.T) {
	f := newFleet(t, `host "mini-1" {}`, "mini-1")
	f.env["TERM"] = "xterm"
	f.simulate("mini-1", "speed=20 busy=0.2")
	f.apply()

	r := f.startOnTerminal("status", "--watch=1s")
	r.shows("mini-1  running")
	r.signal(syscall.SIGTERM)
	r.left(r.wait(exitTerminated), "mini-1  running")

	// Ctrl-Z gives the terminal back for as long as the program is stopped.
	r = f.startOnTerminal("status", "--watch=1s")
	r.shows("mini-1  running")
	r.signal(syscall.SIGTSTP)
	r.await("its own page while it is suspended", func() bool { return !displayed(t, r.stdout.String()).onOther && r.echoes() })
	r.signal(syscall.SIGCONT)
	r.await("the other page again", func() bool {
		r.signal(syscall.SIGCONT)
		return displayed(t, r.stdout.String()).entered >= 2
	})
	r.shows("mini-1  running")
	r.signal(syscall.SIGINT)
	r.left(r.wait(exitInterrupted), "mini-1  running")

	// Without a terminal, rounds follow each other until nobody reads on.
	cmd := f.command("status", "--watch=1s")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() // an error: it ended
	defer time.AfterFunc(labtest.Limit, func() { cmd.Process.Kill() }).Stop()
	rounds := regexp.MustCompile(`(?m)^Fleet: .* 1 as described\.    \d\d:\d\d:\d\d\n\nHOST `)
	var text strings.Builder
	for buf := make([]byte, 4096); !rounds.MatchString(text.String()); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after\n%s", err, text.String())
		}
		text.Write(buf[:n])
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Errorf("rounds without a terminal:\n%s", text.String())
	}
	out.Close()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitError {
		t.Errorf("exit code %d when nobody reads on", code)
	}

	// For programs, each round has the lines of a status.
	lines := f.start("status", "--watch=1s", "--json")
	lines.expectTimes(2, `"type":"status_summary"`)
	lines.signal(syscall.SIGINT)
	o := lines.wait(exitInterrupted)
	var kinds []string
	for line := range strings.Lines(o.stdout) {
		var l struct{ Type string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, l.Type)
	}
	if got := strings.Join(kinds, " "); !regexp.MustCompile(`^version( host_status status_summary){2,} run_summary$`).MatchString(got) {
		t.Errorf("lines of %s", got)
	}
}

// expectTimes waits until the program has printed text so many times.
func (r *running) expectTimes(n int, text string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d times %q", n, text), func() bool { return strings.Count(r.stdout.String(), text) >= n })
}

// TestWatchPanics leaves the terminal as it was.
func TestWatchPanics(t *testing.T) {
	terminal, tty, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	defer tty.Close()
	r := &running{t: t, terminal: terminal}
	p := &Program{Stdin: tty, Stdout: tty, streams: streams{output: newOutput(tty)}}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		w := &watch{p: p, screen: screen.Open(tty, tty, "xterm")}
		defer w.end(func() {})
		if r.echoes() {
			t.Error("the screen is not open")
		}
		panic("somewhere in a round")
	}()
	if err := terminal.SetReadDeadline(time.Now().Add(labtest.Limit)); err != nil {
		t.Fatal(err)
	}
	const want = enterPage + leavePage
	got := make([]byte, len(want))
	if _, err := io.ReadFull(terminal, got); err != nil || string(got) != want || !r.echoes() {
		t.Errorf("after a panic: %q, %v, echo %v", got, err, r.echoes())
	}
}
