package lab

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// connect builds the lab's network: a bridge with this machine as gateway, and a
// namespace for each host whose eth0 is cabled to it. There is no default route:
// what is outside the lab is unreachable at once instead of after a time-out.
// This machine knows the hosts' hardware addresses for good: one that is cut off
// is silent, and not after some seconds unreachable.
func (l *Lab) connect(ctx context.Context) error {
	bridge := l.slot.bridge()
	var outer strings.Builder
	fmt.Fprintf(&outer, "link add %s type bridge\n", bridge)
	fmt.Fprintf(&outer, "address add %s/24 dev %s\n", l.Gateway(), bridge)
	fmt.Fprintf(&outer, "link set %s up\n", bridge)
	for _, h := range l.Hosts {
		fmt.Fprintf(&outer, "netns add %s\n", h.link())
		fmt.Fprintf(&outer, "link add %s type veth peer name eth0 address %s netns %s\n", h.link(), h.hardware(), h.link())
		fmt.Fprintf(&outer, "link set %s master %s up\n", h.link(), bridge)
	}
	for _, h := range l.Hosts { // a bridge that gets another link may forget its neighbours
		fmt.Fprintf(&outer, "neighbour add %s lladdr %s nud permanent dev %s\n", h.Address(), h.hardware(), bridge)
	}
	if err := ip(ctx, outer.String()); err != nil {
		return err
	}
	for _, h := range l.Hosts {
		inner := fmt.Sprintf("link set lo up\naddress add %s/24 dev eth0\nlink set eth0 up\n", h.Address())
		if err := ip(ctx, inner, "-netns", h.link()); err != nil {
			return err
		}
	}
	return nil
}

// ip runs a batch of ip(8) commands, up to the first that fails.
func ip(ctx context.Context, batch string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "ip", append(flags, "-batch", "-")...)
	cmd.Stdin = strings.NewReader(batch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Cut pulls the host's network cable: packets vanish, connections hang.
func (h *Host) Cut(ctx context.Context) error {
	return ip(ctx, "link set "+h.link()+" down\n")
}

// Join plugs the cable in again.
func (h *Host) Join(ctx context.Context) error {
	return ip(ctx, "link set "+h.link()+" up\n")
}
