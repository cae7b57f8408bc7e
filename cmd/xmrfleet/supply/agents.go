// Package supply provides what hosts are sent: the executable of XMRig's
// release, and the builds of the health agent that are part of this program.
//
// It sends nothing: modules' resources carry it to hosts. Whatever comes from
// elsewhere is checked here before anything else may have it. A further
// architecture of the agent is a build in the Makefile and a name in Agents.
package supply

import (
	"embed"
	"io/fs"
	"strings"
	"sync"

	"xmrfleet/modules"
)

// agents holds the builds of xmrig-orchestrator: agents/GOARCH.gz, and beside
// it in GOARCH.sha256 the checksum of the program.
//
//go:embed agents
var agents embed.FS

// Agents are the agents that this xmrfleet can install, by GOARCH. None
// are there in a build without `make build`.
func Agents() map[string]*modules.Blob {
	builds := make(map[string]*modules.Blob)
	for _, arch := range []string{"amd64", "arm64"} {
		name := "agents/" + arch
		sum, err := agents.ReadFile(name + ".sha256")
		if err != nil {
			continue
		}
		if _, err := fs.Stat(agents, name+".gz"); err != nil {
			continue
		}
		builds[arch] = &modules.Blob{SHA256: strings.TrimSpace(string(sum)), Gzip: sync.OnceValue(func() []byte {
			compressed, _ := agents.ReadFile(name + ".gz") // it is there
			return compressed
		})}
	}
	return builds
}
