package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// example is the fleet.hcl at the top of the repository, which lies where
// nothing can embed it. A test keeps the two equal.
//
//go:embed example.hcl
var example string

type initCmd struct {
	File  string   `help:"The file to write (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Kamal fileName `help:"Take the hosts from this Kamal file, which usually is config/deploy.yml." placeholder:"FILE"`
}

func (c *initCmd) Run(p *Program) error {
	text, origin := example, "four hosts that are made up"
	if c.Kamal != "" {
		kamal, err := c.readKamal()
		if err != nil {
			return hint.With(fmt.Errorf("read hosts of %s: %w", c.Kamal, err),
				"it should have servers: a list of hosts, or the role web with one; xmrfleet init without --kamal writes an example")

		}
		text = withHosts(example, kamal)
		origin = fmt.Sprintf("%s of %s: %s", view.Plural(len(kamal.Hosts), "host"), c.Kamal, strings.Join(kamal.Hosts, ", "))
	}
	if err := create(c.File, text); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return hint.With(fmt.Errorf("write %s: it is there already", c.File), "move it away, or name another file with --file")
		}
		return fmt.Errorf("write %s: %w", c.File, errors.Unwrap(err)) // *fs.PathError repeats the name
	}
	fmt.Fprintf(p.out, "Wrote %s, with %s.\n", c.File, origin)
	fmt.Fprintln(p.out, "It reads MONERO_WALLET and XMRFLEET_VAR_xmrig_sha256 from the environment. Set them, and see what `xmrfleet validate` says.")
	return nil
}

// readKamal names the Kamal file as seen from the fleet file.
func (c *initCmd) readKamal() (hcl.Kamal, error) {
	reference := string(c.Kamal)
	if !filepath.IsAbs(reference) {
		from, err := filepath.Abs(filepath.Dir(c.File))
		if err != nil {
			return hcl.Kamal{}, err
		}
		to, err := filepath.Abs(reference)
		if err != nil {
			return hcl.Kamal{}, err
		}
		if reference, err = filepath.Rel(from, to); err != nil {
			return hcl.Kamal{}, err
		}
	}
	return hcl.ReadKamal(string(c.Kamal), filepath.ToSlash(reference))
}

// withHosts puts the hosts of Kamal in the place of those that are made up.
func withHosts(example string, k hcl.Kamal) string {
	settings, _, _ := strings.Cut(example, "host \"")
	return settings + `# The hosts are those of Kamal, read anew by every command. One that needs
# settings of its own gets a host block as well: host "` + k.Hosts[0] + `" { ... }
hosts = ` + k.Expression + "\n"
}

// create writes a file that was not there.
func create(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
