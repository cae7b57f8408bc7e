// Command bench measures xmrfleet on labs of 4 and 40 hosts, each figure beside
// what it is compared with in the same run: a plan of converged hosts beside a
// bare `ssh HOST sudo -n true` of the same hosts, all at once, and a status over
// control sockets beside one over connections of its own. `make bench` runs it; it
// is never shipped and no test depends on its figures. A further command to
// measure is a line in measure.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"xmrfleet/cmd/internal/lab"
	"xmrfleet/cmd/internal/release"
	"xmrfleet/executor"
	"xmrfleet/hcl/hcltest"
)

// rounds is how often each command is timed, in turns.
const rounds = 5

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "xmrfleet-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive, err := release.Build(ctx, dir)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintf(out, "hosts\tcommand\tmin\tmedian\tmax\tof bare\tpeak memory\n")
	for _, n := range []int{4, 40} {
		if err := measure(ctx, out, dir, archive, n); err != nil {
			return err
		}
	}
	return out.Flush()
}

// measure times the commands on a lab of n hosts.
func measure(ctx context.Context, out *tabwriter.Writer, dir string, archive release.Archive, n int) error {
	hosts := make([]string, n)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("m%02d", i+1)
	}
	l, err := lab.Up(ctx, lab.Options{Hosts: hosts})
	if err != nil {
		return err
	}
	defer l.Down()
	// The hosts share this machine's processors: their miners stay idle.
	for _, h := range l.Hosts {
		if err := h.WriteFile(ctx, "/run/xmrig-sim/control", []byte("busy=0\n"), 0o644); err != nil {
			return err
		}
	}
	fleet := filepath.Join(dir, "fleet.hcl")
	if err := os.WriteFile(fleet, []byte(fmt.Sprintf(fleetFile, hcltest.Wallet, archive.SHA256, archive.Path, quoted(hosts))), 0o600); err != nil {
		return err
	}
	through := func(config string, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "bin/xmrfleet", append(args, "--ssh-config", config, "-f", fleet)...)
	}
	program := func(args ...string) *exec.Cmd { return through(l.SSHConfig(), args...) }
	began := time.Now()
	if text, err := program("apply", "--yes").CombinedOutput(); err != nil {
		return fmt.Errorf("apply: %w\n%s", err, text)
	}
	fmt.Fprintf(out, "%d\tfresh apply\t\t%s\t\t\t\n", n, seconds(time.Since(began)))

	for deadline := time.Now().Add(time.Minute); program("status").Run() != nil; time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the %d miners are not running a minute after the apply", n)
		}
	}

	shared, leave, err := share(ctx, dir, l, hosts)
	defer leave()
	if err != nil {
		return err
	}
	commands := []*command{
		{name: "bare ssh, sudo -n true", run: func() (int64, error) { return 0, bare(ctx, l, hosts) }},
		{name: "xmrfleet plan", run: func() (int64, error) { return timed(program("plan", "--detailed-exitcode")) }},
		{name: "xmrfleet status", run: func() (int64, error) { return timed(program("status")) }},
		{name: "xmrfleet status, control sockets", run: func() (int64, error) { return timed(through(shared, "status")) }},
	}
	for range rounds {
		for _, c := range commands {
			began := time.Now()
			memory, err := c.run()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.took, c.memory = append(c.took, time.Since(began)), max(c.memory, memory)
		}
	}
	for _, c := range commands {
		slices.Sort(c.took)
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%.2f\t%s\n", n, c.name, seconds(c.took[0]), seconds(c.median()),
			seconds(c.took[rounds-1]), float64(c.median())/float64(commands[0].median()), megabytes(c.memory))
	}
	own, over := commands[2], commands[3]
	fmt.Fprintf(out, "%d\tstatus over control sockets: %.2f of one over own connections\n", n, float64(over.median())/float64(own.median()))
	return nil
}

type command struct {
	name   string
	run    func() (memory int64, err error)
	took   []time.Duration
	memory int64
}

func (c *command) median() time.Duration { return c.took[len(c.took)/2] }

// bare is what a plan cannot do without.
func bare(ctx context.Context, l *lab.Lab, hosts []string) error {
	for _, o := range executor.Each(ctx, hosts, 0, func(ctx context.Context, host string) (struct{}, error) {
		text, err := exec.CommandContext(ctx, "ssh", "-F", l.SSHConfig(), host, "sudo -n true").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", host, err, text)
		}
		return struct{}{}, err
	}) {
		if o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// timed runs a command and returns its peak memory in bytes.
func timed(cmd *exec.Cmd) (int64, error) {
	text, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, text)
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10, nil
}

const fleetFile = `
# The Monero project's donation address: nothing is mined here.
wallet = %q
pool "a" { url = "pool.example:443" }
xmrig {
  version = "6.26.0"
  sha256  = %q
  source  = %q
}
hosts = [%s]
`

func quoted(hosts []string) string { return `"` + strings.Join(hosts, `", "`) + `"` }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func megabytes(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f MB", float64(bytes)/1e6)
}
