package daemon

import "xmrfleet/cmd/xmrig-orchestrator/internal/wake"

// listen opens what wakes the daemon between two polls. A channel is nil where
// that fails: commands then wait for the next poll.
func (d *daemon) listen() (woken, written <-chan struct{}, stop func()) {
	socket, err := wake.Listen(d.WakeSocket())
	if err != nil {
		d.log.Warn("wake", "error", err)
	} else {
		woken = socket.C()
	}
	files, err := wake.WatchFiles()
	if err != nil {
		d.log.Warn("wake", "error", err)
	} else {
		written = files.C()
	}
	d.files = files
	return woken, written, func() {
		if socket != nil {
			socket.Close()
		}
		if files != nil {
			files.Close()
		}
	}
}

// watchFiles waits for the next write to the shared database, by any program.
func (d *daemon) watchFiles() {
	if d.files == nil {
		return
	}
	for _, path := range []string{d.Settings.Database, d.Settings.Database + "-wal"} {
		if err := d.files.Arm(path); err != nil && err.Error() != d.filesErr {
			d.filesErr = err.Error()
			d.log.Warn("wake", "error", err)
		}
	}
}
