package modules

import "fmt"

// An Executable is a program of ours, built for several architectures, at a
// fixed path.
type Executable struct {
	Path   string
	Builds map[string]*Blob // by GOARCH
}

func (e Executable) file() File {
	return File{Path: e.Path, Owner: "root", Group: "root", Mode: "0755"}
}

func (e Executable) ID() string { return "executable " + e.Path }

func (e Executable) Validate() error { return e.file().Validate() }

func (e Executable) Probe() Command { return e.file().Probe() }

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
	return diffFile(e.file(), blob, probed)
}
