package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// detached follows the name in the slot of a lab that needs no owner.
const detached = " detached"

// errOwned means that a living process holds the lab.
var errOwned = errors.New("owned by a running process")

// A slot is a number that a lab holds: its subnet and the names of its interfaces
// follow from it. It is a file; whoever holds its lock owns the lab named in it.
// The files are never removed, so that a waiting guard always has the right one.
type slot struct {
	number int
	name   string   // of the lab; empty: free
	file   *os.File // open while this process holds the lock
}

func (s *slot) path() string { return filepath.Join(run, "slots", strconv.Itoa(s.number)) }

func (s *slot) bridge() string { return fmt.Sprintf("xlab%d", s.number) }

// link names the outer end of a host's cable and its network namespace.
func (s *slot) link(host int) string { return fmt.Sprintf("xlab%d-%d", s.number, host) }

func (s *slot) address(host int) string { return fmt.Sprintf("10.213.%d.%d", s.number, host) }

// slots reads all of them, in order.
func slots() ([]*slot, error) {
	var all []*slot
	for n := 1; n < 255; n++ {
		s := &slot{number: n}
		text, err := os.ReadFile(s.path())
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		s.name = strings.TrimSuffix(string(text), detached)
		all = append(all, s)
	}
	return all, nil
}

// lock takes the slot without waiting. It may be called by the holder.
func (s *slot) lock() error {
	if s.file != nil {
		return nil
	}
	file, err := os.OpenFile(s.path(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return errOwned
	}
	s.file = file
	return nil
}

func (s *slot) unlock() {
	s.file.Close()
	s.file = nil
}

func (s *slot) write(text string) error { return os.WriteFile(s.path(), []byte(text), 0o644) }

func (s *slot) isDetached() bool {
	text, err := os.ReadFile(s.path())
	return err == nil && strings.HasSuffix(string(text), detached)
}

// claim takes a free slot for a lab and makes its directory, after it has removed
// the labs of dead owners.
func claim(ctx context.Context, name string) (*slot, error) {
	if err := os.MkdirAll(filepath.Join(run, "slots"), 0o755); err != nil {
		return nil, err
	}
	lock, err := lockFile(ctx, filepath.Join(run, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	all, err := slots()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := s.sweep(); err != nil {
			return nil, err
		}
		if s.name != "" && s.name == name {
			return nil, fmt.Errorf("lab %s is up already", name)
		}
	}
	for _, s := range all {
		if s.name != "" || s.taken() || s.lock() != nil {
			continue
		}
		if s.name = name; name == "" {
			s.name = fmt.Sprintf("lab-%d", s.number)
		}
		if err := s.fill(); err != nil {
			s.unlock()
			return nil, err
		}
		return s, nil
	}
	return nil, errors.New("lab: no free subnet in 10.213.0.0/16")
}

func (s *slot) fill() error {
	dir := filepath.Join(run, s.name)
	os.Remove(dir) // left empty by a crash right here
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return s.write(s.name)
}

// sweep removes the slot's lab if its owner is dead.
func (s *slot) sweep() error {
	if s.name == "" || s.isDetached() || s.lock() != nil {
		return nil
	}
	defer s.unlock()
	if s.isDetached() { // since we looked
		return nil
	}
	return s.teardown()
}

// teardown removes the slot's lab and frees the slot, whose lock must be held.
func (s *slot) teardown() error {
	if text, err := os.ReadFile(s.path()); err != nil || strings.TrimSuffix(string(text), detached) != s.name {
		return err // torn down before
	}
	if err := s.write(s.name); err != nil {
		return err
	}
	args := append([]string{"-c", teardownScript, "teardown"}, s.teardownArgs()...)
	if out, err := exec.Command("sh", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("take lab %s down: %w: %s", s.name, err, strings.TrimSpace(string(out)))
	}
	s.name = ""
	return nil
}

func (s *slot) teardownArgs() []string {
	return append([]string{run, strconv.Itoa(s.number), s.name}, cgroups()...)
}

// taken reports whether this machine already uses the slot's subnet or bridge.
func (s *slot) taken() bool {
	if _, err := net.InterfaceByName(s.bridge()); err == nil {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, addr := range addrs {
		if ip, ok := addr.(*net.IPNet); ok && ip.Contains(net.ParseIP(s.address(1))) {
			return true
		}
	}
	return false
}

// lockFile waits for the lock on path, which it creates. The lock is free when the
// file is closed here and in all processes that inherited it.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return file, nil
}
