package main

import (
	"regexp"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// retry is the command line that does the same on the hosts that failed, with
// secrets masked, or "" if none did.
func (p *Program) retry(sessions []*session) string {
	var failed []string
	for _, s := range sessions {
		if s.err != nil || s.result.Err() != nil {
			failed = append(failed, s.host.Name)
		}
	}
	if failed == nil {
		return ""
	}
	args := []string{"xmrfleet"}
	for _, a := range unselected(p.args) {
		args = append(args, p.out.Mask(a))
	}
	return shellescape.QuoteCommand(append(args, "-l", strings.Join(failed, ",")))
}

// shortLimit matches -l and its value, behind other short flags or not.
var shortLimit = regexp.MustCompile(`^-([vy]*)l(.*)$`)

// unselected leaves out what selects hosts.
func unselected(args []string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(args[i], "=")
		short := shortLimit.FindStringSubmatch(args[i])
		switch {
		case short != nil:
			if short[1] != "" {
				kept = append(kept, "-"+short[1])
			}
			if short[2] == "" {
				i++
			}
		case name == "--limit" || name == "--exclude":
			if !hasValue {
				i++
			}
		default:
			kept = append(kept, args[i])
		}
	}
	return kept
}
