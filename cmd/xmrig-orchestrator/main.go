// Command xmrig-orchestrator is the health agent that xmrfleet installs on a
// host: it watches the miner, records in a database what it sees, restarts the
// miner where that helps, and does the commands that it finds in the database.
//
// It has to stay under 10 MB resident, and its code is the larger part of
// that. So it links neither net/http nor anything of the CLI; a test holds it
// to that.
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

	"xmrfleet/cmd/xmrig-orchestrator/internal/port"
	"xmrfleet/modules/agent"
)

const version = "0.1.0"

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
	if cerr := m.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "xmrig-orchestrator: %v\n", err)
	}
	os.Exit(exitCode(err))
}

// errUsage marks a command line that makes no sense.
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
	Now    func() time.Time

	// Own is the path of the database that is the agent's alone. Any other
	// one belongs to another program.
	Own string

	// RunDir holds the host's lock, and the socket that wakes the agent.
	RunDir string

	// Ports tells whose the port of the miner's API is.
	Ports port.Lookup

	// Backoff is how long a database that failed is left alone.
	Backoff time.Duration

	open []*database
}

// NewMain returns the program as production runs it. The directories may be
// others where systemd says so: systemd.exec(5), RuntimeDirectory=.
func NewMain() *Main {
	return &Main{
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Now:     time.Now,
		Own:     filepath.Join(cmp.Or(os.Getenv("STATE_DIRECTORY"), agent.StateDir), filepath.Base(agent.Database)),
		RunDir:  cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), agent.RunDir),
		Ports:   port.Lookup{Proc: "/proc"},
		Backoff: 30 * time.Second,
	}
}

// Run runs one command and returns when it is done; the daemon is done when
// ctx is.
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
		run = m.watch
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
		var e enqueue
		args = e.flags(flags, args)
		run = func(ctx context.Context, s agent.Settings) error { return m.enqueue(ctx, s, e) }
	case "version":
		_, err := fmt.Fprintf(m.Stdout, "xmrig-orchestrator %s\n", version)
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

// Close gives back what Run left open.
func (m *Main) Close() error {
	var errs []error
	for _, b := range m.open {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}
