package hcl

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Names returns the hosts and the groups that a fleet file names, as far as it
// can be read: mistakes are passed over. It is for the completion of command
// lines, so the environment is not asked for any value: what depends on it is
// left out.
func Names(path string) (hosts, groups []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil
	}
	l := newLoader(path, text, Options{})
	file, _ := hclsyntax.ParseConfig(text, filepath.Base(path), hcl.InitialPos)
	content, _, _ := file.Body.PartialContent(fileSchema)
	blocks := content.Blocks.ByType()
	for _, b := range blocks["group"] {
		if identifier.MatchString(b.Labels[0]) {
			groups = append(groups, b.Labels[0])
		}
	}
	var all []declaration
	for _, b := range blocks["host"] {
		all = append(all, declaration{name: b.Labels[0]})
	}
	if expr := content.Attributes["hosts"]; expr != nil {
		l.variables(blocks["variable"])
		l.localValues(blocks["locals"])
		l.scope.settle()
		all = append(all, l.hostsExpression(expr)...)
	}
	for _, d := range all {
		if isHostName(d.name) && !slices.Contains(hosts, d.name) {
			hosts = append(hosts, d.name)
		}
	}
	return hosts, groups
}
