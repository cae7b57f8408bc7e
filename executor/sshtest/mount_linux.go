package sshtest

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

const mountScript = `
mount --make-rprivate / || exit 255
while [ $# -gt 2 ]; do
	mkdir -p "$1" && mount --bind "$2" "$1" || exit 255
	shift 2
done
exec /bin/sh -c "$2"
`

// mount makes cmd, a shell's, see the world with s.Mounts in place.
func (s *Server) mount(cmd *exec.Cmd) {
	attr := cmd.SysProcAttr
	attr.Cloneflags = syscall.CLONE_NEWNS
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	args := []string{"/bin/sh", "-c", mountScript, "mount"}
	for _, place := range slices.Sorted(maps.Keys(s.Mounts)) {
		args = append(args, place, s.Mounts[place])
	}
	cmd.Args = append(args, cmd.Args[1:]...)
}

// CanMount reports whether [Server.Mounts] works here.
func CanMount() bool {
	s := &Server{Mounts: map[string]string{"/tmp": "/tmp"}}
	return s.command("true").Run() == nil
}
