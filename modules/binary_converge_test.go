package modules

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path"
	"testing"
	"time"
)

// The executables of these tests, by what they stand for.
const (
	current  = "#!/bin/sh\necho current\n"
	previous = "#!/bin/sh\necho previous\n"
	older    = "#!/bin/sh\necho older\n"
)

func sum(content string) string { return sum256([]byte(content)) }

func push() Binary {
	return Binary{Name: "xmrig", Link: minerBinary, Store: minerStore, Install: InstallPush,
		SHA256: sum(current), Content: NewBlob([]byte(current))}
}

func existing() Binary {
	return Binary{Name: "xmrig", Link: minerBinary, Store: minerStore, Install: InstallExisting}
}

func pull(archive []byte) Binary {
	return Binary{Name: "xmrig", Link: minerBinary, Store: minerStore, Install: InstallPull,
		SHA256: sum(current), URL: "https://example.org/xmrig.tar.gz", ArchiveSHA256: sum256(archive)}
}

func stored(content string) string { return path.Join(minerStore, sum(content), "xmrig") }

// keep puts content into the store, as if it had come that long ago.
func (h *host) keep(content string, age time.Duration) {
	h.write(stored(content), content, 0o755)
	then := time.Now().Add(-age)
	if err := os.Chtimes(h.root+path.Dir(stored(content)), then, then); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) link(target string) {
	if err := os.Symlink(target, h.root+minerBinary); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) chown(path string, id int) {
	if err := os.Chown(h.root+path, id, id); err != nil {
		h.t.Fatal(err)
	}
}

func binary(b Binary, prepare func(*host)) func(*host) Resource {
	return func(h *host) Resource {
		prepare(h)
		return b
	}
}

func removed(b Binary) Binary {
	b.Absent = true
	return b
}

// release is an archive as XMRig's releases are, with the given executable.
func release(t *testing.T, binary string) []byte {
	return pack(t, member{"xmrig-6.26.0/config.json", tar.TypeReg, "{}"},
		member{"xmrig-6.26.0/xmrig", tar.TypeReg, binary})
}

type member struct {
	name string
	kind byte
	body string // of a file; the target of a link
}

func pack(t *testing.T, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Mode: 0o755}
		if m.kind == tar.TypeReg {
			h.Size = int64(len(m.body))
		} else {
			h.Linkname = m.body
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(m.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var binaryLaws = []law{
	{name: "push: new", make: binary(push(), func(*host) {})},
	{name: "push: other version", make: binary(push(), func(h *host) {
		h.keep(previous, time.Hour)
		h.keep(older, 2*time.Hour)
		h.link(stored(previous))
	})},
	{name: "push: back to the previous version", make: binary(push(), func(h *host) {
		h.keep(current, time.Hour)
		h.keep(previous, time.Minute)
		h.link(stored(previous))
	})},
	{name: "push: file of another version in place", make: binary(push(), func(h *host) {
		h.write(minerBinary, previous, 0o755)
	})},
	{name: "push: the right file in place", make: binary(push(), func(h *host) {
		h.write(minerBinary, current, 0o700)
		h.chown(minerBinary, 1)
	})},
	{name: "push: other content in the store", make: binary(push(), func(h *host) {
		h.write(stored(current), older, 0o755)
		h.link(stored(current))
	})},
	{name: "push: other mode in the store", make: binary(push(), func(h *host) {
		h.write(stored(current), current, 0o775)
		h.link(stored(current))
	})},
	{name: "push: other owner in the store", make: binary(push(), func(h *host) {
		h.keep(current, 0)
		h.chown(stored(current), 1)
		h.link(stored(current))
	})},
	{name: "push: directories for everyone", make: binary(push(), func(h *host) {
		h.keep(current, 0)
		h.link(stored(current))
		h.chown(path.Dir(stored(current)), 1)
		h.must(Command{Script: `chmod 0777 "$1"`, Args: []string{minerStore}})
	})},
	{name: "push: upload that was killed", make: binary(push(), func(h *host) {
		h.write(path.Dir(stored(current))+"/.new", "half", 0o644)
	})},
	{name: "push: dangling link", make: binary(push(), func(h *host) { h.link(stored(current)) })},
	{name: "push: link to a directory", make: binary(push(), func(h *host) { h.link("/usr") })},
	{name: "push: elsewhere on the host", make: binary(push(), func(h *host) {
		h.write("/opt/xmrig-6.26/xmrig", current, 0o755)
	})},
	{name: "push: elsewhere, not root's", make: binary(push(), func(h *host) {
		h.write("/opt/xmrig-6.26/xmrig", current, 0o755)
		h.chown("/opt/xmrig-6.26/xmrig", 1)
	})},
	{name: "push: elsewhere, in a directory that is not root's", make: binary(push(), func(h *host) {
		h.write("/opt/xmrig-6.26/xmrig", current, 0o755)
		h.chown("/opt/xmrig-6.26", 1)
	})},
	{name: "push: linked below /home", make: binary(push(), func(h *host) {
		h.write("/home/miner/xmrig/build/xmrig", current, 0o755)
		h.link("/home/miner/xmrig/build/xmrig")
	})},
	{name: "push: prune", make: binary(push(), func(h *host) {
		h.keep(current, 3*time.Hour)
		h.keep(previous, time.Hour)
		h.keep(older, 2*time.Hour)
		h.link(stored(current))
	})},
	{name: "push: prune in no order", make: binary(push(), func(h *host) {
		h.keep(current, time.Hour)
		h.keep(previous, time.Hour)
		h.keep(older, time.Hour)
		h.link(stored(current))
	})},

	{name: "existing: in /opt", make: binary(existing(), func(h *host) {
		h.write("/opt/xmrig/xmrig", current, 0o755)
	})},
	{name: "existing: in /home", make: binary(existing(), func(h *host) {
		h.write("/home/miner/xmrig", current, 0o755)
	})},
	{name: "existing: in the link's place", make: binary(existing(), func(h *host) {
		h.write(minerBinary, current, 0o755)
	})},
	{name: "existing: other mode in the store", make: binary(existing(), func(h *host) {
		h.write(stored(current), current, 0o775)
		h.link(stored(current))
	})},
	{name: "existing: other content in the store", make: binary(existing(), func(h *host) {
		h.write(stored(current), older, 0o755)
		h.link(stored(current))
		h.write("/home/miner/xmrig", current, 0o755)
	})},

	{name: "pull: new", make: func(h *host) Resource {
		archive := release(h.t, current)
		h.write(h.fake()+"/web/xmrig.tar.gz", string(archive), 0o644)
		return pull(archive)
	}},
	{name: "pull: archive left by a killed run", make: func(h *host) Resource {
		archive := release(h.t, current)
		h.write(h.fake()+"/web/xmrig.tar.gz", string(archive), 0o644)
		h.write(path.Dir(stored(current))+"/.archive", "half", 0o644)
		return pull(archive)
	}},

	{name: "absent: pushed", make: binary(removed(push()), func(h *host) {
		h.keep(current, 0)
		h.keep(previous, time.Hour)
		h.link(stored(current))
	})},
	{name: "absent: adopted", make: binary(removed(push()), func(h *host) {
		h.keep(current, 0)
		h.write(path.Dir(stored(current))+"/adopted", "", 0o644)
		h.link(stored(current))
	})},
	{name: "absent: two adopted", make: binary(removed(push()), func(h *host) {
		h.keep(current, 0)
		h.keep(previous, 0)
		h.write(path.Dir(stored(current))+"/adopted", "", 0o644)
		h.write(path.Dir(stored(previous))+"/adopted", "", 0o644)
		h.link(stored(current))
	})},
	{name: "absent: linked elsewhere", make: binary(removed(existing()), func(h *host) {
		h.write("/opt/xmrig/xmrig", current, 0o755)
		h.link("/opt/xmrig/xmrig")
	})},
	{name: "absent: store only", make: binary(removed(push()), func(h *host) { h.keep(current, 0) })},
	{name: "absent: killed upload", make: binary(removed(push()), func(h *host) {
		h.write(path.Dir(stored(current))+"/.new", "half", 0o644)
	})},
}

func TestBinaryConverges(t *testing.T) {
	for _, l := range rooted(binaryLaws) {
		t.Run(l.name, l.hold)
	}
}

// TestBinaryAdoption looks at what is on the host in the end.
func TestBinaryAdoption(t *testing.T) {
	t.Run("a file in the link's place goes back there", func(t *testing.T) {
		h := newRoot(t)
		h.write(minerBinary, current, 0o755)
		h.converge(push())
		if target, err := os.Readlink(h.root + minerBinary); err != nil || target != stored(current) {
			t.Errorf("%s leads to %q (%v)", minerBinary, target, err)
		}
		h.converge(removed(push()))
		if info, err := os.Lstat(h.root + minerBinary); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v (%v), want the file that was there", minerBinary, info, err)
		}
		if got := h.read(minerBinary); got != current {
			t.Errorf("%s is %q", minerBinary, got)
		}
		if _, err := os.Stat(h.root + minerStore); !os.IsNotExist(err) {
			t.Errorf("the store is still there: %v", err)
		}
	})
	t.Run("of two only the linked one goes back", func(t *testing.T) {
		h := newRoot(t)
		for _, content := range []string{current, previous} {
			h.keep(content, 0)
			h.write(path.Dir(stored(content))+"/adopted", "", 0o644)
		}
		h.link(stored(current))
		h.converge(removed(push()))
		if got := h.read(minerBinary); got != current {
			t.Errorf("%s is %q", minerBinary, got)
		}
		if got := h.read(stored(previous)); got != previous {
			t.Errorf("the other adopted binary is %q", got)
		}
	})
	t.Run("a move that ended leaves nothing", func(t *testing.T) {
		h := newRoot(t)
		r := h.run(Command{Script: moveIntoStore, Args: []string{minerBinary, minerStore, "xmrig", sum(current), "yes"}})
		if _, err := os.Stat(h.root + path.Dir(stored(current))); r.Status == 0 || !os.IsNotExist(err) {
			t.Errorf("exit %d, the entry is still there: %v", r.Status, err)
		}
	})
	t.Run("a binary elsewhere stays there", func(t *testing.T) {
		h := newRoot(t)
		h.write("/opt/xmrig/xmrig", current, 0o755)
		h.converge(push())
		h.converge(removed(push()))
		if got := h.read("/opt/xmrig/xmrig"); got != current {
			t.Errorf("it is %q", got)
		}
		if _, err := os.Lstat(h.root + minerBinary); !os.IsNotExist(err) {
			t.Errorf("the link is still there: %v", err)
		}
	})
	t.Run("nobody else can change what is linked", func(t *testing.T) {
		for _, loose := range []string{"/opt/xmrig/build/xmrig", "/opt/xmrig/build", "/opt/xmrig"} {
			h := newRoot(t)
			h.write("/opt/xmrig/build/xmrig", current, 0o755)
			h.chown(loose, 1)
			h.converge(push())
			if target, _ := os.Readlink(h.root + minerBinary); target != stored(current) {
				t.Errorf("%s belongs to somebody, and the link leads to %s", loose, target)
			}
		}
	})
	t.Run("a killed upload is not the previous binary", func(t *testing.T) {
		h := newRoot(t)
		h.keep(current, 2*time.Hour)
		h.keep(previous, time.Hour)
		h.link(stored(current))
		h.write(path.Dir(stored(older))+"/.new", "half", 0o644)
		h.converge(push())
		if got := h.read(stored(previous)); got != previous {
			t.Errorf("the previous binary is %q", got)
		}
		if _, err := os.Stat(h.root + path.Dir(stored(older))); !os.IsNotExist(err) {
			t.Errorf("the killed upload is still there: %v", err)
		}
	})
}

// TestBinaryRefused holds the scripts to their checksums: nothing is installed
// and nothing is left behind.
func TestBinaryRefused(t *testing.T) {
	other := push()
	other.Content = NewBlob([]byte(older))
	for name, test := range map[string]struct {
		web    map[string]string
		binary Binary
		want   string
	}{
		"push: damaged": {binary: other,
			want: "install " + stored(current) + ": sha256 is " + sum(older) + ", want " + sum(current) + "\n"},
		"pull: not there": {binary: pull(nil),
			want: "download https://example.org/xmrig.tar.gz: curl failed (exit 22)\n"},
		"pull: other archive": {binary: pull(release(t, current)), web: map[string]string{"xmrig.tar.gz": "evil"},
			want: "download https://example.org/xmrig.tar.gz: sha256 is " + sum("evil") + ", want " + sum256(release(t, current)) + "\n"},
		"pull: other binary": {binary: pull(release(t, older)), web: map[string]string{"xmrig.tar.gz": string(release(t, older))},
			want: "install " + stored(current) + ": sha256 is " + sum(older) + ", want " + sum(current) + "\n"},
		"pull: no member": {binary: pull(pack(t)), web: map[string]string{"xmrig.tar.gz": string(pack(t))},
			want: "download https://example.org/xmrig.tar.gz: no xmrig in the archive\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newRoot(t)
			for name, content := range test.web {
				h.write(h.fake()+"/web/"+name, content, 0o644)
			}
			r := h.run(h.change(test.binary).Steps[0])
			if r.Status != 1 || r.Stderr != test.want {
				t.Errorf("exit %d\n got %q\nwant %q", r.Status, r.Stderr, test.want)
			}
			if left, err := os.ReadDir(h.root + path.Dir(path.Dir(stored(current)))); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

// TestInstallAsksVersion puts an executable into the store that calls itself
// something, which has to be what it was taken for.
func TestInstallAsksVersion(t *testing.T) {
	h := newRoot(t)
	const program = "#!/bin/sh\n[ \"$(id -u)\" = 65534 ] && [ \"$1\" = --version ] && printf 'XMRig 6.26.0\\n built on a day\\n'\n"
	b := Binary{Name: "xmrig", Link: minerBinary, Store: minerStore, Install: InstallPush,
		SHA256: sum(program), Content: NewBlob([]byte(program)), Version: "6.25.0"}
	r := h.run(Command{Script: pushIntoStore, Args: []string{stored(program), sum(program), "6.25.0"}, Stdin: b.Content})
	want := "install " + stored(program) + ": it calls itself version 6.26.0, fleet.hcl wants 6.25.0\n"
	if r.Status == 0 || r.Stderr != want {
		t.Errorf("exit %d, %q, want %q", r.Status, r.Stderr, want)
	}
	if c := h.change(b); c.Action != Create {
		t.Errorf("it was left behind: %+v", c)
	}
	b.Version = "6.26.0"
	h.converge(b)
	if got := h.read(path.Dir(stored(program)) + "/version"); got != "6.26.0\n" {
		t.Errorf("version %q", got)
	}
	h.known = nil
	if x := h.facts().XMRigs; len(x) != 1 || x[0].Version != "6.26.0" {
		t.Errorf("facts: %+v", x)
	}
}
