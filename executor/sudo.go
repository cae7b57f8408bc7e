package executor

import (
	"errors"
	"fmt"
	"strings"

	"xmrfleet/modules/printable"
)

// sudoRefused returns the error of a shell that did not become root's. complaint
// is what sudo printed, mark is "end" and its exit status.
func sudoRefused(user, complaint, mark string) error {
	e := &Error{Reason: SudoRefused, Op: "become root by sudo"}
	text := printable.Line(complaint)
	_, status, _ := strings.Cut(mark, " ")
	rule := fmt.Sprintf("on the host, as root: echo '%s ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/xmrfleet && chmod 0440 /etc/sudoers.d/xmrfleet", user)
	switch {
	case text == "":
		e.Err = fmt.Errorf("ended with status %s", status)
	case strings.Contains(text, "password is required"):
		e.Err, e.Advice = errors.New("sudo wants a password"), rule
	case strings.Contains(text, "not in the sudoers"), strings.Contains(text, "not allowed"), strings.Contains(text, "may not run sudo"):
		e.Err, e.Advice = errors.New(text), rule
	case strings.Contains(text, "must have a tty"):
		e.Err = errors.New(text)
		e.Advice = fmt.Sprintf("on the host, in the sudoers file: Defaults:%s !requiretty", user)
	case strings.Contains(text, "not found"):
		e.Err = errors.New("there is no sudo on the host")
		e.Advice = "install sudo, or log in as root"
	default:
		e.Err = errors.New(text)
	}
	return e
}
