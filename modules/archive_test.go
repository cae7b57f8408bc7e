package modules

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenArchive(t *testing.T) {
	good := release(t, current)
	const tarball = "$DIR/a.tar.gz"
	for _, test := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"good", good, ""},
		{"names with a dot", pack(t, member{"./xmrig-6.26.0/xmrig", tar.TypeReg, current}), ""},
		{"not gzip", []byte("PK\x03\x04 this is a zip file"), "not a .tar.gz: gzip: invalid header"},
		{"empty", nil, "not a .tar.gz: EOF"},
		{"truncated", good[:len(good)-20], "damaged or truncated: unexpected EOF"},
		{"cut behind the tar", good[:len(good)-4], "damaged or truncated: unexpected EOF"},
		{"leaves its directory", pack(t, member{"../xmrig", tar.TypeReg, current}),
			`member "../xmrig" leaves the archive's directory`},
		{"leaves it on the way", pack(t, member{"a/../../xmrig", tar.TypeReg, current}),
			`member "a/../../xmrig" leaves the archive's directory`},
		{"another member leaves it", pack(t, member{"xmrig-6/xmrig", tar.TypeReg, current}, member{"/etc/passwd", tar.TypeReg, ""}),
			`member "/etc/passwd" leaves the archive's directory`},
		{"no xmrig", pack(t, member{"xmrig-6.26.0/config.json", tar.TypeReg, "{}"}), "it has no xmrig member"},
		{"only deeper", pack(t, member{"a/b/xmrig", tar.TypeReg, current}), "it has no xmrig member"},
		{"a link", pack(t, member{"xmrig-6.26.0/xmrig", tar.TypeSymlink, "/bin/sh"}),
			`member "xmrig-6.26.0/xmrig" is not a regular file`},
		{"a hard link", pack(t, member{"xmrig-6.26.0/xmrig", tar.TypeLink, "/bin/sh"}),
			`member "xmrig-6.26.0/xmrig" is not a regular file`},
		{"a directory of that name", pack(t, member{"xmrig/", tar.TypeDir, ""}, member{"xmrig/xmrig", tar.TypeReg, current}), ""},
		{"nothing but a directory", pack(t, member{"a/xmrig/", tar.TypeDir, ""}), "it has no xmrig member"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.tar.gz")
			if err := os.WriteFile(path, test.archive, 0o644); err != nil {
				t.Fatal(err)
			}
			a, err := OpenArchive(path, sum256(test.archive))
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if a.SHA256 != sum256(test.archive) || a.Binary.SHA256 != sum(current) || a.Arch != "" {
					t.Errorf("%+v", a)
				}
				return
			}
			opening(t, dir, err, "open archive "+tarball+": "+test.want)
		})
	}
}

// opening compares an error in which $DIR stands for dir.
func opening(t *testing.T, dir string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = strings.ReplaceAll(err.Error(), dir, "$DIR")
	}
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestOpenArchiveFile(t *testing.T) {
	dir := t.TempDir()
	good := release(t, current)
	for name, content := range map[string][]byte{"good": good} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("good", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	huge, err := os.Create(filepath.Join(dir, "huge"))
	if err != nil {
		t.Fatal(err)
	}
	if err := huge.Truncate(maxArchive + 1); err != nil {
		t.Fatal(err)
	}
	huge.Close()

	if _, err := OpenArchive(filepath.Join(dir, "good"), strings.ToUpper(sum256(good))); err != nil {
		t.Errorf("a checksum in capitals: %v", err)
	}
	for name, want := range map[string]string{
		"none":       "open archive $DIR/none: no such file",
		"good/below": "open archive $DIR/good/below: not a directory",
		"link":       "open archive $DIR/link: it is a symbolic link; name the file itself",
		".":          "open archive $DIR/.: it is not a regular file",
		"huge":       "open archive $DIR/huge: it is larger than 128 MiB",
		"good":       "open archive $DIR/good: its sha256 is " + sum256(good) + ", fleet.hcl wants " + sum("other"),
	} {
		_, err := OpenArchive(dir+"/"+name, sum("other"))
		opening(t, dir, err, want)
	}
}

func TestArch(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	machine := func(low byte) []byte { // e_machine of the ELF header
		p := append([]byte(nil), program...)
		p[18], p[19] = low, 0
		return p
	}
	for want, binary := range map[string][]byte{
		"amd64": machine(62), "arm64": machine(183), "riscv": machine(243), "": []byte("#!/bin/sh"),
	} {
		if got := arch(binary); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
