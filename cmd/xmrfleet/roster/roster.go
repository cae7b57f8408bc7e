// Package roster remembers, for each fleet file, which hosts it has changed, so
// that one which is not in the file any more is not forgotten: its miner goes on.
//
// It is a convenience: whoever loses it is only not reminded. It keeps names and
// addresses, and asks no host.
package roster

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"xmrfleet/cmd/xmrfleet/cache"
	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// A Host is one that an apply of the fleet file changed, or found as described.
type Host struct {
	Name    string    `json:"name"`
	Address string    `json:"address,omitempty"` // as in the file
	At      time.Time `json:"at"`                // of the last such apply; zero: not known
}

type record struct {
	Hosts []Host `json:"hosts"` // by name
}

const kind = "roster"

// Update remembers hosts, as of now, and forgets those with these names.
func Update(file string, hosts []hcl.Host, forget []string) error {
	path, err := cache.Path(kind, file)
	if err != nil {
		return err
	}
	var r record
	if r.Hosts, err = read(path); errors.Is(err, cache.ErrDamaged) {
		err = nil // it is replaced
	}
	if err != nil || len(hosts) == 0 && len(r.Hosts) == 0 {
		return err
	}
	for _, h := range hosts {
		forget = append(forget, h.Name)
	}
	r.Hosts = slices.DeleteFunc(r.Hosts, func(h Host) bool { return slices.Contains(forget, h.Name) })
	for _, h := range hosts {
		r.Hosts = append(r.Hosts, Host{h.Name, h.Address, time.Now().UTC().Truncate(time.Second)})
	}
	slices.SortFunc(r.Hosts, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	return cache.Write(path, r)
}

// Unnamed are the hosts that the fleet file does not name any more: of those that
// are remembered, and of those that earlier versions of the file named. One whose
// address it gives to another name was renamed.
func Unnamed(fleet *hcl.Fleet, earlier []*hcl.Fleet) []Host {
	var hosts []Host
	if path, err := cache.Path(kind, fleet.Path); err == nil {
		hosts, _ = read(path) // an error: nothing is remembered
	}
	for _, was := range earlier {
		for _, h := range was.Hosts {
			if !slices.ContainsFunc(hosts, func(known Host) bool { return known.Name == h.Name }) {
				hosts = append(hosts, Host{Name: h.Name, Address: h.Address})
			}
		}
	}
	named := make(map[string]bool)
	for _, h := range slices.Concat(fleet.Hosts, fleet.Removed) {
		named[h.Name], named[cmp.Or(h.Address, h.Name)] = true, true
	}
	return slices.DeleteFunc(hosts, func(h Host) bool { return named[h.Name] || named[cmp.Or(h.Address, h.Name)] })
}

// Forget forgets hosts. One that is not remembered is an error.
func Forget(file string, names []string) error {
	path, err := cache.Path(kind, file)
	if err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	hosts, err := read(path)
	if errors.Is(err, cache.ErrDamaged) {
		return hint.With(fmt.Errorf("forget: %s is damaged", path), "remove it")
	}
	if err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	var known []string
	for _, h := range hosts {
		known = append(known, h.Name)
	}
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		err := fmt.Errorf("forget %s: no such host of %s is remembered here", name, file)
		if nearest := hcl.Nearest(name, known); nearest != "" {
			return hint.With(err, fmt.Sprintf("did you mean %q?", nearest))
		}
		return err
	}
	return Update(file, nil, names)
}

// read returns the hosts that are remembered; none where nothing is.
func read(path string) ([]Host, error) {
	var r record
	err := cache.Read(path, &r)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return r.Hosts, nil
}
