// Package port tells which process listens on a TCP port of this machine. It
// reads proc(5) and nothing else: an answer on the port says nothing of who
// gave it, and a second XMRig gives the same ones.
package port

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// An Owner is a process that listens on a port.
type Owner struct {
	PID  int
	Exe  string // its executable, or its name where that cannot be read
	Unit string // the service that it belongs to, "" if none
}

func (o Owner) String() string { return fmt.Sprintf("pid %d, %s", o.PID, o.Exe) }

// Remedy says what to do against it.
func (o Owner) Remedy() string {
	switch {
	case o.PID == 1:
		return "systemctl list-sockets shows whose it is"
	case o.Unit != "":
		return "to end it: systemctl disable --now " + o.Unit
	}
	return "to end it: kill " + strconv.Itoa(o.PID)
}

// A Lookup finds owners in Proc, where proc(5) is mounted. It remembers the
// last one, because the kernel goes through all of its connections to list the
// few sockets that listen.
type Lookup struct {
	Proc string

	address string
	pid     int
	found   descriptor
	foreign *Owner
}

// A descriptor is a socket that a process has open.
type descriptor struct {
	pid          int
	link, socket string
}

// Foreign returns the process that listens on address although it is not of the
// control group of the process pid; nil, if nobody listens or that one does.
// With pid 0 any process is foreign. An error says that it is not known whose
// the port is, for want of CAP_SYS_PTRACE perhaps.
func (l *Lookup) Foreign(address string, pid int) (*Owner, error) {
	if l.address == address && l.pid == pid && l.found.open() {
		return l.foreign, nil
	}
	*l = Lookup{Proc: l.Proc}
	sockets, err := l.listening(address)
	if err != nil || len(sockets) == 0 {
		return nil, err
	}
	found, ok := l.held(pid, sockets)
	if !ok {
		found, ok = l.find(sockets)
	}
	if !ok {
		return nil, fmt.Errorf("%s: no process is seen to listen", address)
	}
	foreign, err := l.owner(found.pid, pid)
	if err == nil {
		l.address, l.pid, l.found, l.foreign = address, pid, found, foreign
	}
	return foreign, err
}

// owner is the process that listens, nil if it is of the control group of pid.
func (l *Lookup) owner(listens, pid int) (*Owner, error) {
	group, err := l.group(listens)
	if err != nil {
		return nil, err
	}
	if pid != 0 {
		if own, err := l.group(pid); err != nil || own == group {
			return nil, err
		}
	}
	return &Owner{PID: listens, Exe: l.exe(listens), Unit: service(group)}, nil
}

func (d descriptor) open() bool {
	socket, err := os.Readlink(d.link)
	return err == nil && socket == d.socket
}

func (l *Lookup) file(pid int, name string) string {
	return filepath.Join(l.Proc, strconv.Itoa(pid), name)
}

// listening returns the listening sockets, as they are named in the fd
// directories, that a connection to address may reach.
func (l *Lookup) listening(address string) (map[string]bool, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(host)
	sockets := make(map[string]bool)
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		f, err := os.Open(filepath.Join(l.Proc, table))
		if errors.Is(err, fs.ErrNotExist) && table == "net/tcp6" { // IPv6 is switched off
			continue
		}
		if err != nil {
			return nil, err
		}
		rows := bufio.NewScanner(f)
		for rows.Scan() {
			if at, inode, ok := parse(rows.Text()); ok && at.Port == int(n) &&
				(at.IP.IsUnspecified() || ip == nil || at.IP.Equal(ip)) {
				sockets["socket:["+inode+"]"] = true
			}
		}
		f.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return sockets, nil
}

// parse reads a line of /proc/net/tcp or tcp6. It is not ok unless the socket
// listens.
func parse(line string) (at net.TCPAddr, inode string, ok bool) {
	const listen = "0A"
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != listen {
		return at, "", false
	}
	host, port, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || len(host)%8 != 0 {
		return at, "", false
	}
	for ; host != ""; host = host[8:] { // words in the order of the machine
		word, err := strconv.ParseUint(host[:8], 16, 32)
		if err != nil {
			return at, "", false
		}
		at.IP = binary.NativeEndian.AppendUint32(at.IP, uint32(word))
	}
	at.Port = int(n)
	return at, f[9], true
}

// find looks for one of the sockets in all processes.
func (l *Lookup) find(sockets map[string]bool) (descriptor, bool) {
	for _, name := range names(l.Proc) {
		if pid, err := strconv.Atoi(name); err == nil {
			if found, ok := l.held(pid, sockets); ok {
				return found, true
			}
		}
	}
	return descriptor{}, false
}

// held looks for one of the sockets in a process.
func (l *Lookup) held(pid int, sockets map[string]bool) (descriptor, bool) {
	dir := l.file(pid, "fd")
	for _, name := range names(dir) {
		link := filepath.Join(dir, name)
		if socket, err := os.Readlink(link); err == nil && sockets[socket] {
			return descriptor{pid, link, socket}, true
		}
	}
	return descriptor{}, false
}

// names are those in a directory, none if it cannot be read.
func names(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	all, _ := d.Readdirnames(-1)
	return all
}

// group is all that /proc/PID/cgroup says.
func (l *Lookup) group(pid int) (string, error) {
	b, err := os.ReadFile(l.file(pid, "cgroup"))
	return string(b), err
}

// service finds a system service in what group returned: cgroups(7).
func service(group string) string {
	for line := range strings.Lines(group) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && strings.HasPrefix(fields[2], "/system.slice/") && path.Ext(fields[2]) == ".service" {
			return path.Base(fields[2])
		}
	}
	return ""
}

// exe is the executable of a process. Whoever started that chose the name, and
// a terminal may show it.
func (l *Lookup) exe(pid int) string {
	exe, err := os.Readlink(l.file(pid, "exe"))
	if err != nil {
		name, _ := os.ReadFile(l.file(pid, "comm"))
		exe = string(bytes.TrimSpace(name))
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, exe)
}
