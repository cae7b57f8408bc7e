package modules

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Binary is an executable in a store that is addressed by content, STORE/
// SHA256/NAME, and the link at which everyone finds it. The link makes the swap
// to another version and the way back atomic. Store and link are one resource,
// because only together they can decide to adopt a binary that is already on
// the host.
//
// The store keeps the current and the previous binary.
type Binary struct {
	Name  string // "xmrig"
	Link  string // "/usr/local/bin/xmrig"
	Store string // "/usr/local/lib/xmrfleet"

	Install string // InstallPush, InstallPull or InstallExisting
	SHA256  string // of the executable; may be empty with InstallExisting
	Version string // that it has to call itself; empty: any
	Arch    string // GOARCH it is built for; empty if not known
	Content *Blob  // with InstallPush

	// Absent removes link and store. An adopted binary takes the place of the
	// link that leads to it, or of any link if it is the only one; others stay
	// in the store.
	Absent bool

	URL           string // of the archive, with InstallPull
	ArchiveSHA256 string // with InstallPull
}

func (b Binary) ID() string { return "binary " + b.Name }

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (b Binary) Validate() error {
	errs := []error{validPath(b.Link), validPath(b.Store)}
	if b.Absent {
		return errors.Join(errs...)
	}
	if (b.Install != InstallExisting || b.SHA256 != "") && !hexSHA256.MatchString(b.SHA256) {
		errs = append(errs, fmt.Errorf("sha256 %q of the binary: want 64 hex digits", b.SHA256))
	}
	if b.Install == InstallPull && (b.URL == "" || !hexSHA256.MatchString(b.ArchiveSHA256)) {
		errs = append(errs, errors.New("install by pull: want the archive's URL and sha256"))
	}
	return errors.Join(errs...)
}

// The probe prints what the link is, and the store's entries, newest first.
const binaryProbe = `
link=$1 store=$2 name=$3
if [ -L "$link" ]; then printf 'link %s\n' "$(readlink "$link")"
elif [ -f "$link" ]; then sum=$(sha256sum <"$link"); printf 'file %s\n' "${sum%% *}"
elif [ -e "$link" ]; then echo other
else echo absent
fi
ls -1t "$store" 2>/dev/null | while IFS= read -r entry; do
	[ ${#entry} -eq 64 ] || continue
	file=$store/$entry/$name
	sum=none adopted=no
	[ ! -e "$store/$entry/adopted" ] || adopted=yes
	set -- "$store" "$store/$entry"
	[ ! -f "$file" ] || { sum=$(sha256sum <"$file"); set -- "$@" "$file"; }
	version=
	[ ! -f "$store/$entry/version" ] || read -r version <"$store/$entry/version"
	echo store "$entry" "${sum%% *}" "$adopted" $(stat -c '%a %U %G' "$@") ${version:+version "$version"}
done
:`

func (b Binary) Probe() Command {
	return Command{Script: binaryProbe, Args: []string{b.Link, b.Store, b.Name}}
}

// storeEntry is one directory of the store.
type storeEntry struct {
	sum     string // its name
	actual  string // what the executable in it really has
	adopted bool
	version string // what it calls itself; empty: not known
	owned          // the executable
	store   owned
	dir     owned
}

func (e storeEntry) exists() bool { return e.actual != "none" }

// rootOwned is what only root can change.
var rootOwned = owned{"0755", "root", "root"}

// probedBinary is what binaryProbe printed.
type probedBinary struct {
	kind    string // absent, link, file, other
	target  string // of a link
	sum     string // of a file
	entries []storeEntry
}

func parseBinary(probed string) (probedBinary, error) {
	head, rest, _ := strings.Cut(probed, "\n")
	var p probedBinary
	var detail string
	p.kind, detail, _ = strings.Cut(head, " ")
	switch p.kind {
	case "link":
		p.target = detail
	case "file":
		p.sum = detail
	case "absent", "other":
	default:
		return p, fmt.Errorf("unexpected answer %q", head)
	}
	for line := range strings.Lines(rest) {
		w := strings.Fields(line)
		version := ""
		if n := len(w); n > 2 && w[n-2] == "version" {
			version, w = w[n-1], w[:n-2]
		}
		if len(w) != 10 && len(w) != 13 {
			return p, fmt.Errorf("unexpected answer %q", line)
		}
		e := storeEntry{sum: w[1], actual: w[2], adopted: w[3] == "yes", version: version,
			store: owned{octal(w[4]), w[5], w[6]}, dir: owned{octal(w[7]), w[8], w[9]}}
		if len(w) == 13 {
			e.owned = owned{octal(w[10]), w[11], w[12]}
		}
		p.entries = append(p.entries, e)
	}
	return p, nil
}

// Wanted is the sha256 of the executable that should run. With
// InstallExisting it is that of the first one found on the host, unless SHA256
// names one of them.
func (b Binary) Wanted(facts Facts) (string, error) {
	if b.Install != InstallExisting {
		return b.SHA256, nil
	}
	for _, x := range facts.XMRigs {
		if b.SHA256 == "" || b.SHA256 == x.SHA256 {
			return x.SHA256, nil
		}
	}
	return "", fmt.Errorf("install = \"existing\": no such %s on the host (PATH, /usr/local/bin, /usr/bin, /opt, /home)", b.Name)
}

func (b Binary) stored(sum string) string { return path.Join(b.Store, sum, b.Name) }

func (b Binary) Diff(probed string, facts Facts) (Change, error) {
	have, err := parseBinary(probed)
	if err != nil {
		return Change{}, fmt.Errorf("read %s: %w", b.ID(), err)
	}
	if b.Absent {
		return b.remove(have), nil
	}
	if have.kind == "other" {
		return Change{}, fmt.Errorf("%s: neither file nor link is in its place; move it away", b.Link)
	}
	if b.Arch != "" && b.Arch != facts.GOARCH() {
		return Change{}, fmt.Errorf("the %s of the archive is built for %s, the host is %s; give it a source of its own", b.Name, b.Arch, facts.Arch)
	}
	want, err := b.Wanted(facts)
	if err != nil {
		return Change{}, err
	}

	target, source, err := b.provide(want, have, facts)
	if err != nil {
		return Change{}, err
	}
	var c Change
	if have.kind == "file" {
		c.Steps = append(c.Steps, Command{Script: moveIntoStore,
			Args: []string{b.Link, b.Store, b.Name, have.sum, yes(have.sum == want)}})
	}
	if source.Script != "" {
		c.Steps = append(c.Steps, source)
	}
	switch {
	case have.kind == "link" && have.target == target:
		if len(c.Steps) > 0 {
			c.Action, c.Reason = Update, "the installed file is not what it was"
		}
	case have.kind == "absent":
		c.Action = Create
		c.Fields = []Field{{Name: "target", New: target}}
	case have.kind == "link":
		c.Action = Update
		c.Fields = []Field{{"target", have.target, target}}
	default:
		c.Action = Update
		if have.sum != want {
			c.Fields = append(c.Fields, Field{"sha256", have.sum, want})
		}
		c.Fields = append(c.Fields, Field{"type", "file", "link to " + target})
	}
	if have.kind != "link" || have.target != target {
		c.Steps = append(c.Steps, Symlink{Path: b.Link, Target: target}.link())
	}
	if f := (Field{"version", have.version(), b.Version}); c.Action != None && f.New != "" && f.Old != f.New {
		c.Fields = append([]Field{f}, c.Fields...)
	}
	b.prune(&c, want, have)
	b.protect(&c, have)
	return c, nil
}

// version is what the executable calls itself that is in use; "" if there is
// none.
func (p probedBinary) version() string {
	if p.kind == "absent" {
		return ""
	}
	for _, e := range p.entries {
		if path.Base(path.Dir(p.target)) == e.sum {
			return cmp.Or(e.version, "unknown")
		}
	}
	return "unknown"
}

// provide says where the link should point so that it leads to want, and the
// step that puts the executable there, if one is needed. A binary elsewhere on
// the host is linked where only root can change it, and copied into the store
// otherwise or where the miner's unit cannot see it (ProtectHome=yes).
func (b Binary) provide(want string, have probedBinary, facts Facts) (target string, step Command, err error) {
	stored := b.stored(want)
	for _, e := range have.entries {
		switch {
		case e.sum != want || e.actual != want:
		case e.owned != rootOwned:
			return stored, Command{Script: copyIntoStore, Args: []string{stored, stored, want, b.Version}}, nil
		default:
			return stored, Command{}, nil
		}
	}
	if have.kind == "file" && have.sum == want {
		return stored, Command{}, nil // moved into the store
	}
	for _, x := range facts.XMRigs {
		if x.SHA256 != want || strings.HasPrefix(x.Real, b.Store+"/") {
			continue
		}
		hidden := strings.HasPrefix(x.Real, "/home/") || strings.HasPrefix(x.Real, "/root/")
		if x.Protected && !hidden {
			return x.Real, Command{}, nil
		}
		return stored, Command{Script: copyIntoStore, Args: []string{stored, x.Real, want, b.Version}}, nil
	}
	switch b.Install {
	case InstallExisting:
		return "", step, fmt.Errorf("install = \"existing\": %s is damaged, and the host has no other; put one there or choose another install", stored)
	case InstallPull:
		return stored, Command{Script: pullIntoStore, Args: []string{stored, b.URL, b.ArchiveSHA256, want, b.Version}}, nil
	}
	return stored, Command{Script: pushIntoStore, Args: []string{stored, want, b.Version}, Stdin: b.Content}, nil
}

func (b Binary) remove(have probedBinary) Change {
	var c Change
	step := func(script string, f Field, args ...string) {
		c.Action = Delete
		c.Fields = append(c.Fields, f)
		c.Steps = append(c.Steps, Command{Script: script, Args: args})
	}
	back := b.restored(have)
	switch {
	case back != "":
		step(`mv -fT "$1" "$2"`, Field{"adopted binary", b.stored(back), b.Link}, b.stored(back), b.Link)
	case have.kind == "link":
		step(`rm -f "$1"`, Field{Name: "link", Old: have.target}, b.Link)
	}
	for _, e := range have.entries {
		if !e.adopted || !e.exists() || e.sum == back {
			entry := path.Join(b.Store, e.sum)
			step(remove, Field{Name: "stored binary", Old: entry}, entry, yes(true))
		}
	}
	return c
}

// restored is the adopted entry that goes back in the link's place, or "".
func (b Binary) restored(have probedBinary) string {
	if have.kind != "link" && have.kind != "absent" {
		return ""
	}
	var adopted []string
	for _, e := range have.entries {
		if !e.adopted || !e.exists() {
			continue
		}
		if have.target == b.stored(e.sum) {
			return e.sum
		}
		adopted = append(adopted, e.sum)
	}
	if len(adopted) == 1 {
		return adopted[0]
	}
	return ""
}

// protect puts first what takes directories of the store from everyone but
// root.
func (b Binary) protect(c *Change, have probedBinary) {
	var fields []Field
	var steps []Command
	dir := func(path string, have owned) {
		if have == rootOwned {
			return
		}
		fields = append(fields, Field{"directory " + path, have.String(), rootOwned.String()})
		steps = append(steps, setAttributes(path, rootOwned.owner, rootOwned.group, rootOwned.mode))
	}
	for i, e := range have.entries {
		if i == 0 {
			dir(b.Store, e.store)
		}
		dir(path.Join(b.Store, e.sum), e.dir)
	}
	if len(steps) > 0 && c.Empty() {
		c.Action = Update
	}
	c.Fields = append(fields, c.Fields...)
	c.Steps = append(steps, c.Steps...)
}

// prune removes all but the current and the previous binary. The previous one
// is what the link leads to so far or, if that stays, the newest other one that
// is whole.
func (b Binary) prune(c *Change, want string, have probedBinary) {
	previous := ""
	switch {
	case have.kind == "file":
		previous = have.sum
	case strings.HasPrefix(have.target, b.Store+"/"):
		previous = path.Base(path.Dir(have.target))
	}
	for _, e := range have.entries {
		if (previous == "" || previous == want) && e.actual == e.sum {
			previous = e.sum
		}
		if slices.Contains([]string{want, previous}, e.sum) || e.adopted {
			continue
		}
		if c.Empty() {
			c.Action = Update
		}
		c.Fields = append(c.Fields, Field{Name: "old binary", Old: e.sum})
		c.Steps = append(c.Steps, Command{Script: `rm -rf --one-file-system "$1"`,
			Args: []string{path.Join(b.Store, e.sum)}})
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
