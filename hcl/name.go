package hcl

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

var (
	hostName   = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.-]{0,252}$`)
	identifier = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$`)
)

// isHostName holds names to what can do no harm in a path or a command line.
func isHostName(s string) bool {
	return hostName.MatchString(s) && !strings.Contains(s, "..")
}

const hostNameRule = "must start with a letter or digit and hold up to 253 letters, digits, dots and dashes, without two dots in a row"

// isAddress accepts a host name or an IP address without a port.
func isAddress(s string) bool {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return isHostName(s)
	}
	return addr.Zone() == "" || identifier.MatchString(addr.Zone())
}

// isHostPort accepts host:port with the host in brackets if it is IPv6.
func isHostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return false
	}
	host, port := s[:i], s[i+1:]
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port[0] == '+' {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == "" && strings.HasSuffix(host, "]")
	}
	return isHostName(host)
}

// Nearest returns the known name that a mistyped one was meant to be, or "" if
// none is near: more than two letters differ.
func Nearest(given string, known []string) string {
	nearest, distance := "", 3
	for _, name := range known {
		if d := levenshtein.Distance(given, name, nil); d < distance {
			nearest, distance = name, d
		}
	}
	return nearest
}

// didYouMean is a sentence that suggests the nearest of the known names, with
// a space before it, or nothing.
func didYouMean(given string, known []string) string {
	if nearest := Nearest(given, known); nearest != "" {
		return " Did you mean " + strconv.Quote(nearest) + "?"
	}
	return ""
}
