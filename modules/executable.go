package modules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmrfleet/modules/hint"
)

// An Executable is a program of ours, built for several architectures, at a
// fixed path. Equal bytes are no change, whatever their version is called.
type Executable struct {
	Path    string
	Builds  map[string]*Blob // by GOARCH
	Version string           // of all of them, as "1.2.3"

	// AllowOlder lets them take the place of a newer version.
	AllowOlder bool
}

func (e Executable) file() File {
	return File{Path: e.Path, Owner: "root", Group: "root", Mode: "0755"}
}

func (e Executable) ID() string { return "executable " + e.Path }

func (e Executable) Validate() error { return e.file().Validate() }

// executableProbe asks a build of ours for its version where it is none of
// those in $3 and behind.
const executableProbe = `
agent=$1
found() {` + fileProbe + `
}
found=$(found "$1" "$2")
printf '%s\n' "$found"
shift 2
for sum; do
	case $found in *"$sum"*) exit 0 ;; esac
done
` + isAgent + ` || exit 0
printf 'version='
timeout 5 "$agent" version </dev/null 2>/dev/null
:`

func (e Executable) Probe() Command {
	c := Command{Script: executableProbe, Args: e.file().Probe().Args}
	for _, arch := range slices.Sorted(maps.Keys(e.Builds)) {
		c.Args = append(c.Args, e.Builds[arch].SHA256)
	}
	return c
}

// build returns the one that fits the host.
func (e Executable) build(facts Facts) (*Blob, error) {
	blob := e.Builds[facts.GOARCH()]
	if blob == nil {
		return nil, fmt.Errorf("%s is not part of this xmrfleet for %s; run `make build`", e.Path, facts.Arch)
	}
	return blob, nil
}

func (e Executable) Diff(probed string, facts Facts) (Change, error) {
	blob, err := e.build(facts)
	if err != nil {
		return Change{}, err
	}
	c, err := diffFile(e.file(), blob, probed)
	if err != nil || c.Action == None || strings.Contains(probed, blob.SHA256) {
		return c, err
	}
	_, said, _ := strings.Cut(probed, "\nversion=")
	version := Field{Name: "version", New: e.Version}
	if words := strings.Fields(firstLine(said)); len(words) == 2 {
		version.Old = words[1]
	}
	switch {
	case version.Old == e.Version:
		version.New += " (another build)"
	case !newer(version.Old, e.Version):
	case e.AllowOlder:
		version.New += " (older)"
	default:
		return Change{}, hint.With(fmt.Errorf("%s: version %s -> %s (older): the host was given a newer one than this xmrfleet has", e.ID(), version.Old, e.Version),
			"use an xmrfleet that is as new, or pass --allow-downgrade")
	}
	c.Fields = append(c.Fields, version)
	return c, nil
}

// newer reports whether version a is newer than b, as far as both are numbers
// with dots.
func newer(a, b string) bool {
	numbers := func(version string) (n [3]int, ok bool) {
		count, _ := fmt.Sscanf(version, "%d.%d.%d", &n[0], &n[1], &n[2])
		return n, count == len(n)
	}
	x, ok1 := numbers(a)
	y, ok2 := numbers(b)
	return ok1 && ok2 && slices.Compare(x[:], y[:]) > 0
}
