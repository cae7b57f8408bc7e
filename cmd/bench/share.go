package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"xmrfleet/cmd/internal/lab"
)

// share logs in to all hosts once. The configuration that it writes has
// xmrfleet go over these connections, which leave ends.
func share(ctx context.Context, dir string, l *lab.Lab, hosts []string) (config string, leave func(), err error) {
	config = filepath.Join(dir, "shared")
	sockets, err := os.MkdirTemp("", "") // a socket's path must be short
	if err != nil {
		return "", func() {}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var masters []*exec.Cmd
	leave = func() {
		cancel()
		for _, m := range masters {
			m.Wait()
		}
		os.RemoveAll(sockets)
	}
	text, err := os.ReadFile(l.SSHConfig())
	if err != nil {
		return config, leave, err
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, "ControlPath %s/%%C\n%s", sockets, text), 0o600); err != nil {
		return config, leave, err
	}
	for _, host := range hosts {
		m := exec.CommandContext(ctx, "ssh", "-F", config, "-M", "-N", host)
		if err := m.Start(); err != nil {
			return config, leave, err
		}
		masters = append(masters, m)
	}
	for _, host := range hosts {
		for deadline := time.Now().Add(time.Minute); exec.CommandContext(ctx, "ssh", "-F", config, "-O", "check", host).Run() != nil; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				return config, leave, fmt.Errorf("no master of %s after a minute", host)
			}
		}
	}
	return config, leave, nil
}
