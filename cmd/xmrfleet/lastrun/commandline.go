package lastrun

import (
	"regexp"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// ShellLine is the command line that runs xmrfleet with these arguments.
func ShellLine(args []string) string {
	return shellescape.QuoteCommand(append([]string{"xmrfleet"}, args...))
}

// Restricted is the same command line for other hosts. What follows "--" is
// not ours.
func Restricted(args, hosts []string) []string {
	flags, words := args, []string(nil)
	if i := slices.Index(args, "--"); i >= 0 {
		flags, words = args[:i], args[i:]
	}
	return slices.Concat(unselected(flags), []string{"-l", strings.Join(hosts, ",")}, words)
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
		case name == "--all":
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
