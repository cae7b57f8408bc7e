// Command xmrig-orchestrator is the health agent that xmrfleet installs on a
// host. It polls the miner, records in a database what it sees, restarts the
// miner where that helps, and runs the commands that it finds in the database.
//
// This package is the command line: main.go parses it and sets the exit code,
// and each command has a file of its name. To add a command, write its file, add
// its case to Main.Run and its line to usage. What the agent does is in the
// packages below internal:
//
//   - daemon: the life of one poll, in order, and how to add a cause
//   - health: the rules by which it decides; pure
//   - store: the database
//   - miner, systemd, cpu, port: what it asks of the host
//   - wake: what wakes it between two polls
//   - hosttest: the host that tests run the agent on
//
// watchdog-sim, beside this package, is the rules against a simulated miner.
//
// The agent has to stay below 10 MB resident, and its code is the larger part of
// that. So it may not link net/http nor anything of the CLI but modules/agent;
// TestDependencies holds it to that.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/daemon"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

const usage = `xmrig-orchestrator watches the XMRig miner of this host.

  xmrig-orchestrator [run]               poll the miner until SIGTERM
  xmrig-orchestrator status [--json]     print what the last poll recorded
  xmrig-orchestrator why                 print the last decisions and what they
                                         were made from
  xmrig-orchestrator history [--json]    print the commands and decisions of
                                         the last 24 hours, the newest last
  xmrig-orchestrator enqueue start|stop|restart --reason TEXT [--wait[=30s]]
                                         give a command, and wait for its end;
                                         it takes the place of pending ones
  xmrig-orchestrator check [--wait 20s]  ask the miner's API until it answers
  xmrig-orchestrator version

Each but version takes --settings FILE (` + agent.SettingsFile + `).
XMRIG_DB_PATH, if set, names the database in place of the settings.

Exit codes: 0 done; 1 error, or the miner did not answer, or the command that
was waited for failed; 64 usage.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	m := NewMain()
	err := m.Run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "xmrig-orchestrator: %v\n", err)
	}
	os.Exit(exitCode(err))
}

// errUsage marks an error of the command line, for the exit code.
var errUsage = errors.New("see xmrig-orchestrator --help")

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 64
	}
	return 1
}

// Main is the program. Its fields may be set before Run.
type Main struct {
	Stdout io.Writer
	Stderr io.Writer

	daemon.Host

	// Backoff is how long the daemon leaves a database alone that failed.
	Backoff time.Duration
}

// NewMain returns the program as production runs it. systemd passes the paths of
// its directories in the environment: systemd.exec(5), RuntimeDirectory=.
func NewMain() *Main {
	return &Main{
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Host: daemon.Host{
			Now:       time.Now,
			SinceBoot: systemd.SinceBoot,
			Own:       filepath.Join(cmp.Or(os.Getenv("STATE_DIRECTORY"), agent.StateDir), filepath.Base(agent.Database)),
			RunDir:    cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), agent.RunDir),
			Proc:      "/proc",

			MinerConfig: agent.MinerConfig,
		},
		Backoff: 30 * time.Second,
	}
}

// Run runs one command until it ends. The daemon ends when ctx is done.
func (m *Main) Run(ctx context.Context, args []string) error {
	command := "run"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("settings", agent.SettingsFile, "")

	var run func(context.Context, agent.Settings) error
	switch command {
	case "run":
		run = m.run
	case "status":
		asJSON := flags.Bool("json", false, "")
		run = func(ctx context.Context, s agent.Settings) error { return m.status(ctx, s, *asJSON) }
	case "check":
		wait := flags.Duration("wait", 0, "")
		run = func(ctx context.Context, s agent.Settings) error { return m.check(ctx, s, *wait) }
	case "why":
		run = m.why
	case "history":
		asJSON := flags.Bool("json", false, "")
		run = func(ctx context.Context, s agent.Settings) error { return m.history(ctx, s, *asJSON) }
	case "enqueue":
		var r request
		args = r.flags(flags, args)
		run = func(ctx context.Context, s agent.Settings) error { return m.enqueue(ctx, s, r) }
	case "version":
		_, err := fmt.Fprintf(m.Stdout, "xmrig-orchestrator %s\n", agent.Version)
		return err
	case "help":
		_, err := io.WriteString(m.Stdout, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q: %w", command, errUsage)
	}

	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, err := io.WriteString(m.Stdout, usage)
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: %w", flags.Arg(0), errUsage)
	}
	settings, err := loadSettings(*file)
	if err != nil {
		return err
	}
	return run(ctx, settings)
}
