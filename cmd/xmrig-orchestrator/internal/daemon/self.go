package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

// tell writes what the agent says of itself, for others to read. A failure is
// logged once; an apply then finds that the agent does not say that it can work.
func (d *daemon) tell() {
	d.self.Faults = d.faults()
	err := d.write(d.self)
	if err != nil && err.Error() != d.selfErr {
		d.log.Warn("tell", "error", err)
	}
	d.selfErr = ""
	if err != nil {
		d.selfErr = err.Error()
	}
}

// faults are what the agent cannot do, each with its remedy.
func (d *daemon) faults() []string {
	all := d.own.faults()
	if d.shared != d.own {
		all = append(all, d.shared.faults()...)
	}
	return all
}

// status is the line for systemctl status, as sd_notify(3) has it.
func (d *daemon) status() string {
	if faults := d.faults(); len(faults) > 0 {
		return "STATUS=degraded: " + strings.Join(faults, "; ")
	}
	return "STATUS=watching " + agent.MinerUnit
}

// describe notes what a poll leaves the agent to say of itself.
func (d *daemon) describe(o health.Observation, dec health.Decision) {
	d.self.CheckedAt = d.Now().UTC()
	switch {
	case o.UnitErr != nil: // as the row, which keeps its process
	case o.Unit.PID == 0:
		d.self.Miner = ""
	default:
		d.self.Miner = o.Unit.Invocation
	}
	d.self.Decision = &agent.Decision{State: dec.State, Cause: string(dec.Cause),
		Action: string(dec.Action), Evidence: dec.Evidence}
}

// write replaces the file at once, so that no reader sees a half of it. There is
// one agent that writes: see lockAgent.
func (h *Host) write(self agent.Daemon) error {
	b, err := json.Marshal(self)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.RunDir, 0o755); err != nil {
		return err
	}
	file := h.daemonFile()
	if err := os.WriteFile(file+".new", b, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(file+".new", 0o644); err != nil { // whatever the umask is
		return err
	}
	return os.Rename(file+".new", file)
}

// maxFile is how much is read of a file that another program wrote.
const maxFile = 1 << 20

// Daemon is what the agent that runs, or ran last, said of itself. It is nil
// where none did, or what it said is not understood.
func (h *Host) Daemon() *agent.Daemon {
	b, err := readFile(h.daemonFile())
	if err != nil {
		return nil
	}
	self := new(agent.Daemon)
	if json.Unmarshal(b, self) != nil || self.CheckedAt.IsZero() {
		return nil
	}
	return self
}

// readFile reads a regular file of up to maxFile bytes. It does not wait for a
// writer where the file is a pipe.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("read %s: not a regular file", path)
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("read %s: more than %d bytes", path, maxFile)
	}
	return b, err
}
