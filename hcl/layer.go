package hcl

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A layer is what one place of the file, the file itself, a group or a host,
// says of miners. Later layers win: file, groups in order, host.
type layer struct {
	settings map[string]*setting // by path, as "xmrig.version" or "wallet"
	pools    []pool              // replace those of earlier layers, if any
}

// A pool is a pool block.
type pool struct {
	rng      hcl.Range
	settings map[string]*setting
}

// layer decodes what a body holds of a layer.
func (l *loader) layer(content *hcl.BodyContent) *layer {
	out := &layer{settings: map[string]*setting{}}
	l.settings(out.settings, "", content.Attributes)
	seen := map[string]hcl.Range{}
	for _, b := range content.Blocks {
		if blockAttributes[b.Type] == nil {
			continue
		}
		label := ""
		if len(b.Labels) > 0 {
			label = b.Labels[0]
		}
		if first, ok := seen[b.Type+label]; ok {
			if label == "" {
				l.diags.add("", problem(b.DefRange, "Duplicate block", "There is an %s block in line %d already.", b.Type, first.Start.Line))
			} else {
				l.duplicate(b.DefRange, b.Type, label, first)
			}
			continue
		}
		seen[b.Type+label] = b.DefRange
		body, diags := b.Body.Content(blockSchema(b.Type))
		l.diags.add("", diags...)
		if b.Type == "pool" {
			p := pool{rng: b.DefRange, settings: map[string]*setting{}}
			l.settings(p.settings, "pool.", body.Attributes)
			if p.settings["pool.url"] == nil && !diags.HasErrors() {
				l.diags.add("", problem(b.DefRange, "Pool without URL", `A pool needs a url, as "pool.example.org:443".`))
			}
			out.pools = append(out.pools, p)
			continue
		}
		l.settings(out.settings, b.Type+".", body.Attributes)
	}
	return out
}

// settings adds those attributes that belong to the kind of block that prefix
// names.
func (l *loader) settings(to map[string]*setting, prefix string, attrs hcl.Attributes) {
	kind := prefix[:max(0, len(prefix)-1)]
	for _, a := range blockAttributes[kind] {
		if at := attrs[a.name]; at != nil {
			to[prefix+a.name] = l.setting(a, at)
		}
	}
}

// groups decodes the group blocks.
func (l *loader) groups(blocks hcl.Blocks) map[string]*layer {
	out, first := map[string]*layer{}, map[string]hcl.Range{}
	for _, b := range blocks {
		name := b.Labels[0]
		if !identifier.MatchString(name) {
			l.diags.add("", problem(b.LabelRanges[0], "Invalid group name",
				"The name of a group must start with a letter or digit and hold letters, digits, dots, dashes and underscores."))
		}
		content, diags := b.Body.Content(groupSchema)
		l.diags.add("", diags...)
		decoded := l.layer(content)
		if rng, ok := first[name]; ok {
			l.duplicate(b.DefRange, "group", name, rng)
			continue
		}
		out[name], first[name] = decoded, b.DefRange
	}
	return out
}

// A declaration is a host as the file names it.
type declaration struct {
	name    string
	address string
	groups  []string
	removed bool // nothing is to be on it any more
	rng     hcl.Range
	layer   *layer
}

// declarations are the hosts of the host and removed blocks and of the hosts
// expression. A host of the expression may have a block, which says more about
// it.
func (l *loader) declarations(blocks hcl.Blocks, expr *hcl.Attribute, groups map[string]*layer) []declaration {
	var all []declaration
	for _, b := range blocks {
		all = append(all, l.hostBlock(b, groups))
	}
	if expr != nil {
		all = append(all, l.hostsExpression(expr)...)
	}
	first := map[string]hcl.Range{}
	hasBlock, removed := map[string]bool{}, map[string]bool{}
	var out []declaration
	for i, d := range all {
		isBlock := i < len(blocks)
		if rng, ok := first[d.name]; ok {
			if isBlock || !hasBlock[d.name] || removed[d.name] {
				l.duplicate(d.rng, "host", d.name, rng)
			}
			continue
		}
		hasBlock[d.name], removed[d.name] = isBlock, d.removed
		first[d.name] = d.rng
		if !isHostName(d.name) {
			l.diags.add("", problem(d.rng, "Invalid host name", "The name %q cannot be used: it %s.", d.name, hostNameRule))
			continue
		}
		out = append(out, d)
	}
	if len(all) == 0 && (expr == nil || len(l.diags.entries) == 0) {
		l.diags.add("", &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "No hosts",
			Detail: `The file names no host. Add a block such as: host "mini-1" {}`,
		})
	}
	return out
}

var (
	addressAttribute = attribute{
		name: "address", typ: cty.String,
		check:  satisfies(isAddress, "must be a host name or an IP address, without user and port: those belong into ssh {}"),
		noHost: "the block's label is the name",
	}
	groupsAttribute = attribute{
		name: "groups", typ: cty.DynamicPseudoType, check: func(v cty.Value) string {
			if _, ok := stringList(v); !ok || v.Type() == cty.String {
				return "must be a list of group names"
			}
			return ""
		},
		noHost: "the groups decide what its settings are",
	}
)

func (l *loader) hostBlock(b *hcl.Block, groups map[string]*layer) declaration {
	schema, removed := hostSchema, b.Type == "removed"
	if removed {
		schema = removedSchema
	}
	content, diags := b.Body.Content(schema)
	l.diags.add("", diags...)
	d := declaration{name: b.Labels[0], removed: removed, rng: b.DefRange, layer: l.layer(content)}
	if at := content.Attributes["address"]; at != nil {
		if v := l.setting(addressAttribute, at).value; v.IsKnown() && !v.IsNull() {
			d.address = v.AsString()
		}
	}
	if at := content.Attributes["groups"]; at != nil {
		v := l.setting(groupsAttribute, at).value
		if v.IsWhollyKnown() && !v.IsNull() {
			names, _ := stringList(v)
			d.groups = l.knownGroups(names, at.Expr.Range(), groups)
		}
	}
	return d
}

// knownGroups leaves out what no group block declares, and repetitions.
func (l *loader) knownGroups(names []string, at hcl.Range, groups map[string]*layer) []string {
	var known []string
	for _, name := range names {
		switch {
		case groups[name] == nil:
			l.diags.add("", problem(at, "Unknown group", "The file declares no group %q.%s", name,
				didYouMean(name, slices.Sorted(maps.Keys(groups)))))
		case !slices.Contains(known, name):
			known = append(known, name)
		}
	}
	return known
}

// hostsExpression makes hosts of a list of names, or of a map from names to
// addresses.
func (l *loader) hostsExpression(at *hcl.Attribute) []declaration {
	v := l.setting(attribute{
		name: "hosts", typ: cty.DynamicPseudoType, check: areHosts,
		noHost: "it says which hosts there are",
	}, at).value
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil
	}
	var out []declaration
	for i, name := range hostNames(v) {
		d := declaration{name: name, rng: elementRange(at.Expr, i), layer: &layer{}}
		if addresses := v.Type(); addresses.IsMapType() || addresses.IsObjectType() {
			d.address = v.AsValueMap()[name].AsString()
		}
		out = append(out, d)
	}
	return out
}

func hostNames(v cty.Value) []string {
	if t := v.Type(); t.IsMapType() || t.IsObjectType() {
		return slices.Sorted(maps.Keys(v.AsValueMap()))
	}
	names, _ := stringList(v)
	return names
}

func areHosts(v cty.Value) string {
	const complaint = "must be a list of host names, or a map from names to addresses"
	if t := v.Type(); t.IsMapType() || t.IsObjectType() {
		for _, address := range v.AsValueMap() {
			if address.Type() != cty.String || address.IsNull() {
				return complaint
			}
			if !isAddress(address.AsString()) {
				return "holds an address that is neither a host name nor an IP address"
			}
		}
		return ""
	}
	if _, ok := stringList(v); !ok || v.Type() == cty.String {
		return complaint
	}
	return ""
}

// elementRange is the place of an element, or of the whole expression where
// the elements come from elsewhere.
func elementRange(expr hcl.Expression, i int) hcl.Range {
	if elements, diags := hcl.ExprList(expr); !diags.HasErrors() && i < len(elements) {
		return elements[i].Range()
	}
	return expr.Range()
}
