package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/hcl"
)

type fmtCmd struct {
	Check bool     `help:"Change nothing; exit with 1 if a file is not formatted."`
	Files []string `arg:"" optional:"" default:"fleet.hcl" help:"The files to format."`
}

func (c *fmtCmd) Run(p *Program) error {
	unformatted := false
	for _, name := range c.Files {
		src, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("format %s: %w", name, errors.Unwrap(err)) // *fs.PathError repeats the name
		}
		formatted, diags := hcl.Format(name, src)
		if diags.HasErrors() {
			p.report.Report(view.Loaded{Diagnostics: diags})
			return exitCode(exitError)
		}
		if bytes.Equal(src, formatted) {
			continue
		}
		unformatted = true
		fmt.Fprintln(p.out, name)
		if c.Check {
			continue
		}
		if err := replaceFile(name, formatted); err != nil {
			return fmt.Errorf("format %s: %w", name, err)
		}
	}
	if c.Check && unformatted {
		return exitCode(exitError)
	}
	return nil
}

// replaceFile writes the file anew, with its mode, at once or not at all. A link
// keeps pointing to it.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	return renameio.WriteFile(name, content, 0o666, renameio.WithTempDir(filepath.Dir(name)), renameio.WithExistingPermissions())
}
