package sshtest

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// WriteConfig writes an ssh configuration, with known_hosts beside it, by which
// each name reaches its server, and returns its path. Nothing of the person
// who runs the test is used.
func WriteConfig(t testing.TB, hosts map[string]*Server) string {
	t.Helper()
	dir := t.TempDir()
	var config, known strings.Builder
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		s := hosts[name]
		host, port, _ := net.SplitHostPort(s.Addr())
		fmt.Fprintf(&config, "Host %s\n  HostName %s\n  Port %s\n  IdentityFile %s\n", name, host, port, s.IdentityFile())
		fmt.Fprintf(&known, "[%s]:%s %s\n", host, port, s.HostKeyLine())
	}
	path := filepath.Join(dir, "known_hosts")
	fmt.Fprintf(&config, "Host *\n  User tester\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile %s\n  GlobalKnownHostsFile none\n", path)
	write(t, path, known.String())
	write(t, filepath.Join(dir, "config"), config.String())
	return filepath.Join(dir, "config")
}
