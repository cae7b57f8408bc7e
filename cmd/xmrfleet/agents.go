package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"xmrfleet/modules"
)

// agents holds the compressed builds of xmrig-orchestrator, agents/GOARCH.gz.
//
//go:embed agents
var agents embed.FS

// agentBuilds are the agents that this xmrfleet can install, by GOARCH. None
// are there in a build without `make build`.
var agentBuilds = sync.OnceValues(func() (map[string]*modules.Blob, error) {
	builds := make(map[string]*modules.Blob)
	for _, arch := range []string{"amd64", "arm64"} {
		compressed, err := agents.ReadFile("agents/" + arch + ".gz")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if builds[arch], err = modules.BlobFromGzip(compressed); err != nil {
			return nil, fmt.Errorf("agent for %s: %w", arch, err)
		}
	}
	return builds, nil
})
