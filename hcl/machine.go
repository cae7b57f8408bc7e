package hcl

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A door is what leads to one machine, as far as the file tells.
type door struct {
	address   string
	port      int
	proxyJump string
}

func doorOf(h Host) door {
	address := h.Address
	if address == "" {
		address = h.Name
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		address = ip.Unmap().String()
	}
	return door{strings.ToLower(strings.TrimSuffix(address, ".")), h.SSH.Port, h.SSH.ProxyJump}
}

// oneNameEach reports hosts that are the same machine: each apply would make it
// the one, and then the other. The hosts are those of the declarations.
func (l *loader) oneNameEach(all []declaration, hosts []Host) {
	type first struct {
		name string
		rng  hcl.Range
	}
	seen := map[door]first{}
	for i, h := range hosts {
		d := doorOf(h)
		if other, ok := seen[d]; ok {
			l.diags.add("", problem(all[i].rng, "Two names for one machine",
				"The hosts %q and %q, in line %d, have the same address, %s. Remove one of the names.", h.Name, other.name, other.rng.Start.Line, d.address))
			continue
		}
		seen[d] = first{h.Name, all[i].rng}
	}
}
