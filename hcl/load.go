package hcl

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Load reads the fleet file at path. The Fleet is nil if the diagnostics hold
// an error; otherwise they are warnings.
func Load(path string, opts Options) (*Fleet, Diagnostics) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, Diagnostics{{Severity: Error, Summary: "No fleet file", Detail: capitalized(err.Error()) + ". Run in the directory of fleet.hcl, or name it with --file."}}
	}
	return Parse(path, text, opts)
}

// Parse is Load of a text that stands, or once stood, in the file at path.
func Parse(path string, text []byte, opts Options) (*Fleet, Diagnostics) {
	l := newLoader(path, text, opts)
	fleet := l.load()
	diags := l.diags.diagnostics(&l.source)
	if diags.HasErrors() {
		return nil, diags
	}
	return fleet, diags
}

// A loader is one reading of a fleet file.
type loader struct {
	opts    Options
	dir     string // relative paths of the file start here
	source  source
	scope   scope
	diags   collector
	secrets map[string]bool
}

func newLoader(path string, text []byte, opts Options) *loader {
	l := &loader{
		opts:    opts,
		dir:     filepath.Dir(path),
		source:  source{name: path, text: text},
		secrets: map[string]bool{},
	}
	l.scope = scope{
		vars:      map[string]cty.Value{},
		locals:    map[string]cty.Value{},
		functions: functions(l.dir, l.env, func(v cty.Value) { l.hide(v.Mark(sensitive)) }),
		hide:      l.hide,
	}
	return l
}

func (l *loader) env(name string) (string, bool) {
	if l.opts.Env == nil {
		return "", false
	}
	return l.opts.Env(name)
}

// hide remembers the texts and numbers in v that are sensitive.
func (l *loader) hide(v cty.Value) {
	if !v.ContainsMarked() {
		return
	}
	var walk func(v cty.Value, hidden bool)
	walk = func(v cty.Value, hidden bool) {
		v, marks := v.Unmark()
		_, marked := marks[sensitive]
		hidden = hidden || marked
		switch {
		case !v.IsKnown() || v.IsNull():
		case hidden && (v.Type() == cty.String || v.Type() == cty.Number):
			if text, err := convert.Convert(v, cty.String); err == nil && text.AsString() != "" {
				l.secrets[text.AsString()] = true
			}
		case v.CanIterateElements():
			for it := v.ElementIterator(); it.Next(); {
				_, element := it.Element()
				walk(element, hidden)
			}
		}
	}
	walk(v, false)
}

// sortedSecrets puts the longest first: one may be part of another.
func (l *loader) sortedSecrets() []string {
	return slices.SortedFunc(maps.Keys(l.secrets), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

func (l *loader) duplicate(at hcl.Range, kind, name string, first hcl.Range) {
	l.diags.add("", problem(at, "Duplicate "+kind, "The %s %q was declared in line %d already.", kind, name, first.Start.Line))
}

func (l *loader) load() *Fleet {
	file, diags := hclsyntax.ParseConfig(l.source.text, l.source.name, hcl.InitialPos)
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		l.source.body = body
		l.source.findSecrets()
	}
	if diags.HasErrors() {
		l.source.broken = true
		l.diags.addSyntax(diags)
		return nil
	}
	content, diags := file.Body.Content(fileSchema)
	l.diags.add("", diags...)

	blocks := content.Blocks.ByType()
	l.variables(blocks["variable"])
	l.localValues(blocks["locals"])
	l.scope.settle()

	if at := content.Attributes["required_version"]; at != nil && !l.fits(at) {
		return nil
	}
	fleet := &Fleet{Path: l.source.name, Text: l.source.text}
	if at := content.Attributes["require_selector"]; at != nil {
		s := l.setting(attribute{name: "require_selector", typ: cty.Bool, noHost: "the file has one fleet"}, at)
		fleet.RequireSelector = isTrue(s.value)
	}
	base := l.layer(content)
	groups := l.groups(blocks["group"])
	for _, b := range blocks["group"] {
		if name := b.Labels[0]; !slices.Contains(fleet.Groups, name) {
			fleet.Groups = append(fleet.Groups, name)
		}
	}
	declared := l.declarations(slices.Concat(blocks["host"], blocks["removed"]), content.Attributes["hosts"], groups)
	hosts := make([]Host, len(declared))
	for i, d := range declared {
		hosts[i] = l.host(d, base, groups)
		if d.removed {
			fleet.Removed = append(fleet.Removed, hosts[i])
		} else {
			fleet.Hosts = append(fleet.Hosts, hosts[i])
		}
	}
	l.oneNameEach(declared, hosts)
	fleet.Secrets = l.sortedSecrets()
	return fleet
}
