package modules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A User is a system account that owns a service, with a group of the same
// name, no home and no login; or the absence of both.
type User struct {
	Name   string
	Absent bool
}

func (u User) ID() string { return "user " + u.Name }

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

func (u User) Validate() error {
	if !userName.MatchString(u.Name) || u.Name == "root" {
		return fmt.Errorf("user name %q is not possible", u.Name)
	}
	return nil
}

// getent exits 2 where there is no such key.
const userProbe = `
echo group; getent group "$1"
echo passwd; getent passwd "$1"
:`

func (u User) Probe() Command { return Command{Script: userProbe, Args: []string{u.Name}} }

// noLogin are the shells that let nobody in, over the distributions.
var noLogin = []string{"/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false"}

func (u User) Diff(probed string, _ Facts) (Change, error) {
	groupLine, passwdLine, _ := strings.Cut(strings.TrimPrefix(probed, "group\n"), "passwd\n")
	group, passwd := colons(groupLine), colons(passwdLine)
	if passwd != nil && len(passwd) != 7 || group != nil && len(group) < 3 {
		return Change{}, fmt.Errorf("read %s: unexpected answer of getent", u.ID())
	}
	if passwd != nil && passwd[2] == "0" {
		return Change{}, fmt.Errorf("%s: has uid 0; a miner does not run as root", u.ID())
	}
	if passwd != nil {
		if err := u.person(passwd[2], passwd[6]); err != nil {
			return Change{}, err
		}
	}
	if u.Absent {
		return u.remove(group != nil, passwd != nil), nil
	}

	var c Change
	step := func(script string, f Field) {
		c.Fields = append(c.Fields, f)
		c.Steps = append(c.Steps, Command{Script: script, Args: []string{u.Name}})
	}
	if group == nil {
		step(`groupadd --system "$1"`, Field{Name: "group", New: u.Name})
	}
	switch {
	case passwd == nil:
		step(createUser, Field{Name: "user", New: u.Name + " (system, no home, no login)"})
		c.Action = Create
		return c, nil
	case group == nil || passwd[3] != group[2]:
		step(`usermod -g "$1" "$1"`, Field{"group", "gid " + passwd[3], u.Name})
	}
	if shell := passwd[6]; !slices.Contains(noLogin, shell) {
		step(denyLogin, Field{"shell", shell, "no login"})
	}
	if len(c.Steps) > 0 {
		c.Action = Update
	}
	return c, nil
}

// person refuses an account with which somebody logs in: system accounts have
// a uid below 1000 (SYS_UID_MAX of login.defs(5)).
func (u User) person(uid, shell string) error {
	id, err := strconv.ParseUint(uid, 10, 32)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: uid %q of getent: %w", u.ID(), uid, err)
	case id < 1000 || slices.Contains(noLogin, shell):
		return nil
	case shell == "":
		shell = "/bin/sh" // passwd(5)
	}
	return fmt.Errorf("%s: uid %s has the login shell %s; an account of a person does not run the miner, rename it", u.ID(), uid, shell)
}

// colons splits a line of getent; nil where there is none.
func colons(line string) []string {
	if line = strings.TrimSpace(line); line == "" {
		return nil
	}
	return strings.Split(line, ":")
}

const createUser = `
shell=$(command -v nologin || echo /bin/false)
useradd --system --gid "$1" --no-create-home --home-dir /nonexistent --shell "$shell" "$1"`

const denyLogin = `
shell=$(command -v nologin || echo /bin/false)
usermod --shell "$shell" "$1"`

func (u User) remove(group, user bool) Change {
	var c Change
	step := func(script, what string) {
		c.Action = Delete
		c.Fields = append(c.Fields, Field{Name: what, Old: u.Name})
		c.Steps = append(c.Steps, Command{Script: script, Args: []string{u.Name}})
	}
	if user {
		step(`userdel "$1"`, "user")
	}
	if group { // userdel may have taken the group along
		step(`! getent group "$1" >/dev/null || groupdel "$1"`, "group")
	}
	return c
}
