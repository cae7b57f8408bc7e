//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// options are what the command line says.
type options struct {
	config  string // "" where none is named
	dataDir string
	dryRun  bool
	version bool
	help    bool
}

// parseOptions reads the arguments as getopt_long does for XMRig. An option
// that is not known is reported on stderr, and the program starts all the same.
func parseOptions(args []string, stderr io.Writer) options {
	var o options
	values := map[string]*string{
		"--config": &o.config, "-c": &o.config,
		"--data-dir": &o.dataDir, "-d": &o.dataDir,
	}
	flags := map[string]*bool{
		"--dry-run": &o.dryRun, "--no-color": new(bool),
		"--version": &o.version, "-V": &o.version,
		"--help": &o.help, "-h": &o.help,
	}
	for i := 1; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "--") && len(name) > 2 && values[name[:2]] != nil {
			name, value, hasValue = args[i][:2], args[i][2:], true
		}
		switch {
		case flags[name] != nil && !hasValue:
			*flags[name] = true
		case values[name] != nil && hasValue:
			*values[name] = value
		case values[name] != nil && i+1 < len(args):
			i++
			*values[name] = args[i]
		case values[name] != nil:
			fmt.Fprintf(stderr, "%s: option '%s' requires an argument\n", args[0], name)
		case strings.HasPrefix(name, "-"):
			fmt.Fprintf(stderr, "%s: unrecognized option '%s'\n", args[0], name)
		default:
			fmt.Fprintf(stderr, "%s: unsupported non-option argument '%s'\n", args[0], args[i])
		}
	}
	return o
}
