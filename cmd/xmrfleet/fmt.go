package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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

// replaceFile writes content beside the file, with its mode, and renames it
// into place. A link keeps pointing to the file.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
