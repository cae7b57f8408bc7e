package systemd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A Verb is a command of systemctl that changes a unit.
type Verb string

const (
	Start       Verb = "start"
	Stop        Verb = "stop"
	Restart     Verb = "restart"
	ResetFailed Verb = "reset-failed"

	// Both make systemd reload its units, so that UnitFileState is up to
	// date afterwards.
	Enable  Verb = "enable"
	Disable Verb = "disable"
)

// controlTimeout leaves time for a unit that takes long to stop. It is shorter
// than the agent's own watchdog.
const controlTimeout = 45 * time.Second

// maxOutput is how many bytes of systemctl's output are kept.
const maxOutput = 4 << 10

// Control runs a Verb on a unit and waits until it is done. It returns what
// systemctl printed, together with an error as well.
func Control(ctx context.Context, verb Verb, unit string) (output string, err error) {
	limited, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	cmd := command(limited, "systemctl", string(verb), "--", unit)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &out
	err = cmd.Run()
	output = strings.TrimSpace(string(out.Next(maxOutput)))
	if limited.Err() != nil {
		err = limited.Err()
	}
	if err != nil {
		return output, fmt.Errorf("systemctl %s %s: %w", verb, unit, err)
	}
	return output, nil
}

// command prepares a program that prints English and times in UTC. It is killed
// when ctx is done.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C"}
	// It also bounds how late the output of a program that has ended may be
	// read, which takes a while where the miner uses all of the CPU.
	cmd.WaitDelay = 2 * time.Second
	return cmd
}
