package executor

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// advise returns a trace's error with advice on how the way to t goes on where
// it ends: the lines to add or the commands to run. Without any other advice
// that is the ssh command that goes the same way and says more.
func (d *Dialer) advise(trace *Trace, t Target) error {
	var e *Error
	if !errors.As(trace.Err, &e) || e.Reason == Canceled {
		return trace.Err
	}
	lines := advice(e, trace.lastHop())
	if e.Advice != "" {
		lines = append(lines, e.Advice)
	}
	if lines == nil {
		lines = []string{"what ssh itself says: " + sshCommand(d.SSHConfig, t)}
	}
	advised := *e
	advised.Advice = strings.Join(lines, "\n")
	return &advised
}

// lastHop is the hop at which the way ends.
func (t *Trace) lastHop() Hop {
	var at Hop
	for _, hop := range t.Hops {
		if at = hop; hop.Took == 0 {
			break
		}
	}
	return at
}

// advice is what a hop's settings and keys add to the advice of its error.
func advice(e *Error, at Hop) []string {
	host, port, _ := net.SplitHostPort(at.Address)
	switch e.Reason {
	case AuthRefused:
		lines := expiredCertificates(at)
		if at.origin("User") == FromDefault {
			lines = append(lines, fmt.Sprintf("the user %s is the one of this machine; another one, in the host block of fleet.hcl: ssh { user = \"deploy\" }", at.User))
		}
		return lines
	case HopForbids:
		return []string{"in sshd_config of the hop: AllowTcpForwarding yes"}
	case HopCannotReach:
		return []string{fmt.Sprintf("on the hop: nc -vz %s %s", host, port)}
	case ConnectionRefused:
		return []string{fmt.Sprintf("on the host, as root: systemctl enable --now ssh; and if its sshd has another port than %s, in the host block of fleet.hcl: ssh { port = ... }", port)}
	case Busy:
		return []string{"fewer at a time: --parallelism 8; or in sshd_config of the host: MaxStartups 100:30:200"}
	case NoAnswer:
		return []string{fmt.Sprintf("is it on, and is port %s open to this machine? nc -vz %s %s; for a slow one: --connect-timeout 30s", port, host, port)}
	case NoRoute:
		return []string{fmt.Sprintf("is it on, and in this network? ping %s", host)}
	case LoginDisabled:
		return []string{fmt.Sprintf("on the host, as root: usermod -s /bin/sh %s", at.User)}
	case HostKeyRevoked:
		return []string{"a new key, on the host, as root: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh"}
	}
	return nil
}

func expiredCertificates(hop Hop) []string {
	var lines []string
	for _, k := range hop.Keys {
		if !k.Expires.IsZero() && time.Now().After(k.Expires) {
			lines = append(lines, fmt.Sprintf("the certificate of %s ended %s: get a new one", k.From, k.Expires.Format(time.DateTime)))
		}
	}
	return lines
}

// origin returns who gave a setting, or "".
func (h Hop) origin(keyword string) Origin {
	for _, s := range h.Settings {
		if s.Keyword == keyword {
			return s.Origin
		}
	}
	return ""
}

// sshCommand is the command that reaches t by ssh alone.
func sshCommand(config string, t Target) string {
	args := []string{"ssh", "-v"}
	flag := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	flag("-F", config)
	flag("-l", t.User)
	if t.Port != 0 {
		flag("-p", strconv.Itoa(t.Port))
	}
	flag("-i", t.IdentityFile)
	flag("-J", t.ProxyJump)
	if t.Address != "" {
		flag("-o", "HostName="+t.Address)
	}
	return shellescape.QuoteCommand(append(args, t.Name, "sudo -n true"))
}
