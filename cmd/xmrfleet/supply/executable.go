package supply

import (
	"context"
	"fmt"
	"io"
	"regexp"

	"xmrfleet/cmd/xmrfleet/cache"
	"xmrfleet/hcl"
	"xmrfleet/modules"
)

// Describe completes the descriptions of hosts for commands that send nothing:
// with the builds of the agent, and with the checksum of XMRig's executable,
// for which an archive is opened only if this machine never did. Where that is
// not possible, progress is told why, and the checksum stays unknown.
func Describe(ctx context.Context, fleet *hcl.Fleet, hosts []hcl.Host, progress io.Writer) {
	builds := Agents()
	failed := make(map[string]bool)
	for i := range hosts {
		m := &hosts[i].Miner
		m.Agent.Binaries = builds
		x := &m.XMRig
		if x.Install != modules.InstallPush || x.State == modules.StateAbsent || failed[x.SHA256] {
			continue
		}
		if x.BinarySHA256 = executableOf(x.SHA256); x.BinarySHA256 != "" {
			continue
		}
		if err := OpenReleases(ctx, fleet, hosts[i:i+1], progress); err != nil {
			fmt.Fprintf(progress, "The hosts' executables are not compared: %v\n", err)
			failed[x.SHA256] = true
		}
	}
}

// executablePath is where the checksum of an archive's executable is kept. That
// it is lost costs the time to open the archive.
func executablePath(archive string) (string, error) {
	return cache.Named(archive + ".executable")
}

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// executableOf is the checksum of the executable in an archive, or "".
func executableOf(archive string) string {
	var sum string
	path, err := executablePath(archive)
	if err != nil || cache.Read(path, &sum) != nil || !hexSHA256.MatchString(sum) {
		return ""
	}
	return sum
}

func rememberExecutable(archive, sum string) {
	path, err := executablePath(archive)
	if err != nil || executableOf(archive) == sum {
		return
	}
	cache.Write(path, sum) // a convenience
}
