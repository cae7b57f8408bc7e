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

// A Verb is what systemctl may be asked to do to a unit.
type Verb string

const (
	Start       Verb = "start"
	Stop        Verb = "stop"
	Restart     Verb = "restart"
	ResetFailed Verb = "reset-failed"

	// Both make systemd read its units anew; UnitFileState would be out of
	// date without.
	Enable  Verb = "enable"
	Disable Verb = "disable"
)

// patience is for a unit that takes long to stop. It is shorter than the
// agent's own watchdog.
const patience = 45 * time.Second

// maxOutput of systemctl is kept.
const maxOutput = 4 << 10

// Control has systemctl do a verb to a unit and waits until it is done. It
// returns what systemctl printed, also beside an error.
func Control(ctx context.Context, verb Verb, unit string) (output string, err error) {
	limited, cancel := context.WithTimeout(ctx, patience)
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

// command is one that speaks English in UTC and does not outlive ctx.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C"}
	cmd.WaitDelay = 100 * time.Millisecond
	return cmd
}
