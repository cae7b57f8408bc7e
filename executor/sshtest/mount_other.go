//go:build !linux

package sshtest

import "os/exec"

func (s *Server) mount(*exec.Cmd) { panic("sshtest: mounts need Linux") }

// CanMount reports whether [Server.Mounts] works here.
func CanMount() bool { return false }
