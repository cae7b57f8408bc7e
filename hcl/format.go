package hcl

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format gives a fleet file its canonical layout. A file that does not parse is
// refused; filename serves the diagnostics only.
func Format(filename string, src []byte) ([]byte, Diagnostics) {
	s := &source{name: filename, text: src, broken: true}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		s.body, _ = file.Body.(*hclsyntax.Body)
		var c collector
		c.addSyntax(diags)
		return nil, c.diagnostics(s)
	}
	return hclwrite.Format(src), nil
}
