package modules

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// law is a resource on a host where it is not yet as it should be.
type law struct {
	name string
	root bool // has paths that are not the test's to choose
	make func(*host) Resource
}

// TestConverge holds every kind to the law. Binary and Service have tables of
// their own.
func TestConverge(t *testing.T) {
	for _, l := range laws {
		t.Run(l.name, l.hold)
	}
}

// hold holds a kind to the law: what a change carried out leaves nothing to
// do. That is so as well where only the first steps of a change were carried
// out, once the next run has ended.
func (l law) hold(t *testing.T) {
	t.Parallel()
	for done, steps := 0, 1; done <= steps; done++ {
		t.Run(fmt.Sprintf("ended after %d", done), func(t *testing.T) {
			h := l.host(t)
			r := l.make(h)
			if err := r.Validate(); err != nil {
				t.Fatal(err)
			}
			c := h.change(r)
			if c.Empty() {
				t.Fatal("nothing to do")
			}
			steps = len(c.Steps)
			for _, step := range c.Steps[:done] {
				h.must(step)
			}
			if done < steps {
				for _, step := range h.change(r).Steps {
					h.must(step)
				}
			}
			if again := h.change(r); !again.Empty() {
				t.Errorf("not idempotent: %+v", again)
			}
		})
	}
}

// rooted are laws whose paths are not the test's to choose.
func rooted(laws []law) []law {
	list := slices.Clone(laws)
	for i := range list {
		list[i].root = true
	}
	return list
}

// host is one on which the resource is not yet as it should be.
func (l law) host(t *testing.T) *host {
	if l.root {
		return newRoot(t)
	}
	return newHost(t)
}

// inTemp gives a directory of the test's own, with blanks and quotes in its
// name, and the names that its files belong to.
func inTemp(h *host) (dir, owner, group string) {
	owner, group = me(h.t)
	dir = h.t.TempDir() + `/it's a "$HOME" \ dir`
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.t.Fatal(err)
	}
	return dir, owner, group
}

func file(prepare func(path string) error) func(*host) Resource {
	return func(h *host) Resource {
		dir, owner, group := inTemp(h)
		f := File{Path: dir + "/file", Owner: owner, Group: group, Mode: "0640", Content: []byte("one\ntwo"), Show: Text}
		if err := prepare(f.Path); err != nil {
			h.t.Fatal(err)
		}
		return f
	}
}

func directory(prepare func(path string) error) func(*host) Resource {
	return func(h *host) Resource {
		dir, owner, group := inTemp(h)
		d := Directory{Path: dir + "/sub", Owner: owner, Group: group, Mode: "0755"}
		if err := prepare(d.Path); err != nil {
			h.t.Fatal(err)
		}
		return d
	}
}

func symlink(prepare func(path string) error) func(*host) Resource {
	return func(h *host) Resource {
		dir, _, _ := inTemp(h)
		if err := prepare(dir + "/link"); err != nil {
			h.t.Fatal(err)
		}
		return Symlink{Path: dir + "/link", Target: "/usr/bin/env"}
	}
}

func absent(prepare func(path string) error, a Absent) func(*host) Resource {
	return func(h *host) Resource {
		dir, _, _ := inTemp(h)
		a.Path = dir + "/parent/gone"
		if err := os.Mkdir(dir+"/parent", 0o755); err != nil {
			h.t.Fatal(err)
		}
		if err := prepare(a.Path); err != nil {
			h.t.Fatal(err)
		}
		return a
	}
}

func nothing(string) error { return nil }

func put(content string, mode os.FileMode) func(string) error {
	return func(path string) error {
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

func mkdir(mode os.FileMode) func(string) error {
	return func(path string) error {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

func linkTo(target string) func(string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

func account(passwd, group string, u User) func(*host) Resource {
	return func(h *host) Resource {
		h.write(h.fake()+"/passwd", passwd, 0o644)
		h.write(h.fake()+"/group", group, 0o644)
		return u
	}
}

const (
	others     = "root:x:0:0:root:/root:/bin/bash\nxmrig2:x:7:7::/:/bin/sh\n"
	otherGroup = "root:x:0:\nxmrig2:x:7:\n"
)

var laws = []law{
	{name: "file: new", make: file(nothing)},
	{name: "file: content", make: file(put("one\n", 0o640))},
	{name: "file: mode", make: file(put("one\ntwo", 0o600))},
	{name: "file: setuid", make: file(put("one\ntwo", 0o640|os.ModeSetuid))},
	{name: "file: empty before", make: file(put("", 0o640))},
	{name: "file: link in place", make: file(linkTo("/etc/hostname"))},
	{name: "file: dangling link in place", make: file(linkTo("/nowhere"))},
	{name: "file: leftover of a killed run", make: file(func(path string) error {
		return put("half", 0o600)(path[:len(path)-len("file")] + ".xmrfleet.Ab12Cd")
	})},
	{name: "file: owner", root: true, make: func(h *host) Resource {
		h.write("/etc/x", "x", 0o644)
		if err := os.Chown(h.root+"/etc/x", 1, 1); err != nil {
			h.t.Fatal(err)
		}
		return File{Path: "/etc/x", Owner: "root", Group: "daemon", Mode: "0644", Content: []byte("x")}
	}},

	{name: "directory: new", make: directory(nothing)},
	{name: "directory: mode", make: directory(mkdir(0o700))},
	{name: "directory: setgid", make: directory(mkdir(0o755 | os.ModeSetgid))},
	{name: "directory: below setgid", make: func(h *host) Resource {
		dir, owner, group := inTemp(h)
		if err := os.Chmod(dir, 0o755|os.ModeSetgid); err != nil {
			h.t.Fatal(err)
		}
		return Directory{Path: dir + "/sub", Owner: owner, Group: group, Mode: "0755"}
	}},

	{name: "symlink: new", make: symlink(nothing)},
	{name: "symlink: other target", make: symlink(linkTo("/usr/bin/false"))},
	{name: "symlink: to a directory", make: symlink(linkTo("/usr"))},
	{name: "symlink: file in place", make: symlink(put("x", 0o644))},
	{name: "symlink: leftover of a killed run", make: symlink(func(path string) error {
		return os.Symlink("/usr/bin/false", path[:len(path)-len("link")]+".xmrfleet.link")
	})},

	{name: "absent: file", make: absent(put("x", 0o644), Absent{})},
	{name: "absent: dangling link", make: absent(linkTo("/nowhere"), Absent{})},
	{name: "absent: directory", make: absent(func(path string) error {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return put("x", 0o644)(path + "/file")
	}, Absent{})},
	{name: "absent: with parent", make: absent(put("x", 0o644), Absent{EmptyParent: true})},
	{name: "absent: parent only", make: absent(nothing, Absent{EmptyParent: true})},
	{name: "absent: parent in use", make: absent(func(path string) error {
		if err := put("x", 0o644)(path + ".other"); err != nil {
			return err
		}
		return put("x", 0o644)(path)
	}, Absent{EmptyParent: true})},
	{name: "absent: unit", root: true, make: func(h *host) Resource {
		h.write("/etc/systemd/system/old.service", "[Service]\n", 0o644)
		return Absent{Path: "/etc/systemd/system/old.service", Unit: true}
	}},

	{name: "user: new", make: account(others, otherGroup, User{Name: "xmrig"})},
	{name: "user: group there", make: account(others, otherGroup+"xmrig:x:30:\n", User{Name: "xmrig"})},
	{name: "user: group missing", make: account(others+"xmrig:x:20:7::/:/usr/sbin/nologin\n", otherGroup, User{Name: "xmrig"})},
	{name: "user: other group and a login", make: account(others+"xmrig:x:20:7::/home/xmrig:/bin/bash\n", otherGroup+"xmrig:x:30:\n", User{Name: "xmrig"})},
	{name: "user: absent", make: account(others+"xmrig:x:20:30::/:/bin/sh\n", otherGroup+"xmrig:x:30:\n", User{Name: "xmrig", Absent: true})},
	{name: "user: absent with its group", make: func(h *host) Resource {
		h.write(h.fake()+"/usergroups", "", 0o644)
		return account(others+"xmrig:x:20:30::/:/bin/sh\n", otherGroup+"xmrig:x:30:\n", User{Name: "xmrig", Absent: true})(h)
	}},
	{name: "user: group absent", make: account(others, otherGroup+"xmrig:x:30:\n", User{Name: "xmrig", Absent: true})},

	{name: "executable: new", root: true, make: executable(nil)},
	{name: "executable: older build", root: true, make: executable(func(h *host) {
		h.write("/usr/local/bin/program", "old", 0o755)
	})},
	{name: "executable: mode", root: true, make: executable(func(h *host) {
		h.write("/usr/local/bin/program", "program", 0o700)
	})},

	{name: "unit: new", root: true, make: unit(nil)},
	{name: "unit: text", root: true, make: unit(func(h *host) {
		h.write("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/true\n", 0o644)
	})},
	{name: "unit: masked", root: true, make: unit(func(h *host) {
		if err := os.Symlink("/dev/null", h.root+"/etc/systemd/system/a.service"); err != nil {
			h.t.Fatal(err)
		}
	})},

	{name: "journal: new", root: true, make: journal(nil)},
	{name: "journal: running with older settings", root: true, make: journal(func(h *host) {
		h.write("/etc/systemd/journald@xmrig.conf", "[Journal]\n", 0o644)
		h.must(Command{Script: `systemctl start systemd-journald@xmrig.service`})
	})},
	{name: "journal: not restarted", root: true, make: journal(func(h *host) {
		h.write("/run/xmrfleet/journald@xmrig.due", "", 0o644)
		h.write("/etc/systemd/journald@xmrig.conf", journalText, 0o644)
	})},
	{name: "journal: absent", root: true, make: func(h *host) Resource {
		h.write("/etc/systemd/journald@xmrig.conf", journalText, 0o644)
		return Journal{Namespace: "xmrig", Absent: true}
	}},
}

func executable(prepare func(*host)) func(*host) Resource {
	return func(h *host) Resource {
		if prepare != nil {
			prepare(h)
		}
		build := NewBlob([]byte("program"))
		return Executable{Path: "/usr/local/bin/program", Builds: map[string]*Blob{"amd64": build, "arm64": build}}
	}
}

func unit(prepare func(*host)) func(*host) Resource {
	return func(h *host) Resource {
		if prepare != nil {
			prepare(h)
		}
		return Unit{Name: "a.service", Text: "[Service]\nExecStart=/bin/false\n"}
	}
}

func journal(prepare func(*host)) func(*host) Resource {
	return func(h *host) Resource {
		if prepare != nil {
			prepare(h)
		}
		return Journal{Namespace: "xmrig", Text: journalText}
	}
}
