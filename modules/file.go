package modules

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// A File is a regular file with known content. It is compared by bytes and
// replaced atomically; a symbolic link in its place is replaced by the file,
// not followed.
type File struct {
	Path         string // absolute
	Owner, Group string
	Mode         string // octal, four digits: "0640"
	Content      []byte

	// Show turns content into the text that readers may see, secrets masked.
	// It gets the old content as well as the new. Nil: never shown.
	Show func(content []byte) string
}

// Text is a Show for files without secrets.
func Text(content []byte) string { return string(content) }

func (f File) ID() string { return "file " + f.Path }

func (f File) Validate() error {
	return errors.Join(validPath(f.Path), validOwner(f.Owner, f.Group), validMode(f.Mode))
}

// shownSize is up to which size a probe prints the content of a file, in bytes.
const shownSize = 64 << 10

// fileProbe prints the sha256 of a file only where it does not print the
// content. Forks are what a plan spends its time on.
const fileProbe = `
if [ -L "$1" ]; then echo link; readlink "$1"
elif [ -f "$1" ]; then
	attributes=$(stat -c '%a %U %G %s' "$1")
	if [ "${attributes##* }" -le "$2" ]; then echo "file $attributes content"; cat "$1"
	else echo "file $attributes sha256"; sha256sum <"$1"
	fi
elif [ -d "$1" ]; then stat -c 'directory %a %U %G' "$1"
elif [ -e "$1" ]; then echo other
else echo absent
fi`

func (f File) Probe() Command {
	limit := -1
	if f.Show != nil {
		limit = shownSize
	}
	return Command{Script: fileProbe, Args: []string{f.Path, strconv.Itoa(limit)}}
}

func (f File) Diff(probed string, _ Facts) (Change, error) {
	blob := NewBlob(f.Content)
	return diffFile(f, blob, probed)
}

// diffFile is the Diff of every kind that puts a file: f says where and how,
// blob what.
func diffFile(f File, blob *Blob, probed string) (Change, error) {
	old, err := parseFile(probed)
	if err != nil {
		return Change{}, fmt.Errorf("read %s: %w", f.ID(), err)
	}
	write := Command{Script: writeFile, Stdin: blob,
		Args: []string{f.Path, f.Owner, f.Group, f.Mode, blob.SHA256}}
	switch old.kind {
	case "absent":
		return Change{
			Action: Create,
			Fields: []Field{{Name: "mode", New: f.Mode}, {Name: "owner", New: f.Owner + ":" + f.Group}},
			After:  f.show(f.Content),
			Steps:  []Command{write},
		}, nil
	case "link":
		return Change{Action: Update, Fields: []Field{{"type", "link to " + old.target, "file"}},
			After: f.show(f.Content), Steps: []Command{write}}, nil
	case "file":
	default:
		return Change{}, fmt.Errorf("%s: a %s is in its place; move it away", f.Path, old.kind)
	}

	c := Change{Fields: attributeFields(old.owned, f.Mode, f.Owner, f.Group)}
	if old.sha256 != blob.SHA256 {
		c.Action, c.Steps = Update, []Command{write}
		if old.read {
			c.Before, c.After = f.show([]byte(old.content)), f.show(f.Content)
		}
		if c.Before == c.After {
			c.Before, c.After = "", ""
			c.Reason = "content differs (not shown)"
		}
	} else if len(c.Fields) > 0 {
		c.Action, c.Steps = Update, []Command{setAttributes(f.Path, f.Owner, f.Group, f.Mode)}
	}
	return c, nil
}

func (f File) show(content []byte) string {
	if f.Show == nil || len(content) == 0 {
		return ""
	}
	return f.Show(content)
}

// receive is a shell function that writes its input to $1. Where that fails it
// says how much room is left.
const receive = `
receive() {
	cat >"$1" || df -Pk "$1" | {
		read -r _
		read -r _ _ _ free _ disk
		echo "write $1: $free KiB are free on $disk" >&2
		exit 1
	}
}
`

// writeFile replaces $1 by its input, atomically, once its sha256 is $5. What
// a killed predecessor left beside it is removed: the lock is ours.
const writeFile = receive + `
set -eu
umask 077
dir=${1%/*}
rm -f "$dir"/.xmrfleet.??????
new=$(mktemp "$dir/.xmrfleet.XXXXXX")
trap 'rm -f "$new"' EXIT
receive "$new"
sum=$(sha256sum <"$new")
[ "${sum%% *}" = "$5" ] || { echo "write $1: the content arrived damaged" >&2; exit 1; }
chown "$2:$3" "$new"
chmod "$4" "$new"
sync "$new"
mv -fT "$new" "$1"
! command -v restorecon >/dev/null || restorecon "$1"
sync "$dir"`

// setAttributes writes modes with a fifth digit, without which chmod(1) leaves
// a directory its set-group-ID.
func setAttributes(path, owner, group, mode string) Command {
	return Command{Script: `set -e; chown -h "$2:$3" "$1"; chmod "0$4" "$1"`,
		Args: []string{path, owner, group, mode}}
}

// owned is what stat says of a path.
type owned struct{ mode, owner, group string }

func (o owned) String() string { return o.mode + " " + o.owner + ":" + o.group }

// attributeFields lists what separates have from want, in a fixed order.
func attributeFields(have owned, mode, owner, group string) []Field {
	var fields []Field
	if have.mode != mode {
		fields = append(fields, Field{"mode", have.mode, mode})
	}
	if have.owner != owner || have.group != group {
		fields = append(fields, Field{"owner", have.owner + ":" + have.group, owner + ":" + group})
	}
	return fields
}

// probedFile is what fileProbe printed.
type probedFile struct {
	kind string // absent, link, file, directory, other
	owned
	target  string // of a link
	sha256  string
	read    bool // false where content was not asked for or is too long
	content string
}

func parseFile(probed string) (probedFile, error) {
	head, rest, _ := strings.Cut(probed, "\n")
	words := strings.Fields(head)
	switch {
	case len(words) == 1 && words[0] == "link":
		return probedFile{kind: "link", target: strings.TrimSuffix(rest, "\n")}, nil
	case len(words) == 6 && words[0] == "file":
		f := probedFile{kind: "file", owned: owned{octal(words[1]), words[2], words[3]}}
		if words[5] == "content" {
			f.read, f.content, f.sha256 = true, rest, sum256([]byte(rest))
		} else {
			f.sha256, _, _ = strings.Cut(rest, " ")
		}
		return f, nil
	case len(words) == 4 && words[0] == "directory":
		return probedFile{kind: "directory", owned: owned{octal(words[1]), words[2], words[3]}}, nil
	case len(words) == 1:
		return probedFile{kind: words[0]}, nil
	}
	return probedFile{}, fmt.Errorf("unexpected answer %q", head)
}

// octal brings the mode that stat prints to four digits.
func octal(mode string) string {
	return strings.Repeat("0", max(0, 4-len(mode))) + mode
}

func validPath(p string) error {
	if !path.IsAbs(p) || path.Clean(p) != p || strings.ContainsAny(p, "\x00\n") {
		return fmt.Errorf("path %q: want an absolute path in its shortest form", p)
	}
	return nil
}

func validMode(mode string) error {
	if _, err := strconv.ParseUint(mode, 8, 12); err != nil || len(mode) != 4 {
		return fmt.Errorf("mode %q: want four octal digits", mode)
	}
	return nil
}

func validOwner(owner, group string) error {
	if owner == "" || group == "" {
		return errors.New("owner and group must be named")
	}
	return nil
}
