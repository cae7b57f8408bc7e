// Package port tells which process listens on a TCP port of this machine, from
// proc(5). It never connects to the port: a second XMRig gives the same answers
// as the first, so that an answer does not tell who gave it.
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
	Unit string // the system service that it belongs to, "" if none
}

func (o Owner) String() string { return fmt.Sprintf("pid %d, %s", o.PID, o.Exe) }

// Remedy says how to get rid of the process.
func (o Owner) Remedy() string {
	switch {
	case o.PID == 1:
		return "systemctl list-sockets shows whose it is"
	case o.Unit != "":
		return "to end it: systemctl disable --now " + o.Unit
	}
	return "to end it: kill " + strconv.Itoa(o.PID)
}

// A Lookup finds owners in Proc, where proc(5) is mounted. It remembers the last
// one for as long as that keeps its socket: to list the few sockets that listen,
// the kernel goes through all of its connections. It is for one goroutine.
type Lookup struct {
	Proc string

	// The last answer of Foreign, and what it was asked.
	address string
	pid     int
	found   descriptor
	foreign *Owner
}

// A descriptor is a link in an fd directory to a socket that a process has open.
type descriptor struct {
	pid          int
	link, socket string
}

// Foreign returns the process that listens on address, if it is in another control
// group than the process pid. It returns nil if nobody listens, or a process of
// that group does. With pid 0 any process is foreign. An error says that the
// owner is not known, perhaps for lack of CAP_SYS_PTRACE.
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

// owner describes the process that listens, nil if it is in the control group of
// pid.
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

// open tells whether the process still has the socket open.
func (d descriptor) open() bool {
	socket, err := os.Readlink(d.link)
	return err == nil && socket == d.socket
}

// file is the path of a file about a process.
func (l *Lookup) file(pid int, name string) string {
	return filepath.Join(l.Proc, strconv.Itoa(pid), name)
}

// listening returns the listening sockets that a connection to address may reach,
// by their names in the fd directories.
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

// parse reads a line of /proc/net/tcp or tcp6. If the socket does not listen, ok
// is false.
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
	for ; host != ""; host = host[8:] { // 32 bits each, in the machine's byte order
		word, err := strconv.ParseUint(host[:8], 16, 32)
		if err != nil {
			return at, "", false
		}
		at.IP = binary.NativeEndian.AppendUint32(at.IP, uint32(word))
	}
	at.Port = int(n)
	return at, f[9], true
}

// find returns the first process that has one of the sockets open.
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

// held returns the descriptor by which a process has one of the sockets open.
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

// names returns the names in a directory, none if it cannot be read.
func names(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	all, _ := d.Readdirnames(-1)
	return all
}

// group returns the content of /proc/PID/cgroup.
func (l *Lookup) group(pid int) (string, error) {
	b, err := os.ReadFile(l.file(pid, "cgroup"))
	return string(b), err
}

// service returns the system service in the content of a cgroup file, "" if there
// is none: cgroups(7).
func service(group string) string {
	for line := range strings.Lines(group) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && strings.HasPrefix(fields[2], "/system.slice/") && path.Ext(fields[2]) == ".service" {
			return path.Base(fields[2])
		}
	}
	return ""
}

// exe returns the executable of a process. Its name was chosen by whoever started
// the process, so what could be harmful to a terminal is replaced.
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
