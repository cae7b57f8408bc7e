package hcl

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"xmrfleet/modules"
)

// config is the deep merge of all layers' xmrig.config: objects are merged key
// by key, everything else, lists too, is replaced.
func (r resolver) config() map[string]any {
	var out map[string]any
	for _, l := range r.layers {
		s := l.settings["xmrig.config"]
		if s == nil {
			continue
		}
		if v := r.valueFor(s, r.host.name); !v.IsNull() && v.IsWhollyKnown() {
			out = merge(out, tree(v, false).(map[string]any))
		}
	}
	return out
}

// merge lays over above base and changes neither.
func merge(base, over map[string]any) map[string]any {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range over {
		below, _ := merged[name].(map[string]any)
		if above, ok := value.(map[string]any); ok {
			value = merge(below, above)
		}
		merged[name] = value
	}
	return merged
}

// tree is a value as encoding/json would decode it, with a modules.Value in
// place of each sensitive string. The value is wholly known.
func tree(v cty.Value, hidden bool) any {
	v, marks := v.Unmark()
	_, marked := marks[sensitive]
	hidden = hidden || marked
	t := v.Type()
	switch {
	case v.IsNull():
		return nil
	case t == cty.String && hidden:
		return modules.Secret(v.AsString())
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		n, _ := v.AsBigFloat().Float64()
		return n
	case t.IsObjectType() || t.IsMapType():
		out := map[string]any{}
		for name, element := range v.AsValueMap() {
			out[name] = tree(element, hidden)
		}
		return out
	}
	out := []any{}
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		out = append(out, tree(element, hidden))
	}
	return out
}

// checkConfig checks a config attribute against what XMRig knows. What is
// unknown yet is passed over.
func checkConfig(expr hcl.Expression, v cty.Value) hcl.Diagnostics {
	c := configCheck{expr: expr}
	if plain, _ := v.Unmark(); plain.IsKnown() && !plain.IsNull() && !isObject(plain) {
		return hcl.Diagnostics{problem(expr.Range(), "Incorrect type", `Inappropriate value for "config": an object is required.`)}
	}
	c.value(xmrigKeys, v, nil, false)
	return c.diags
}

type configCheck struct {
	expr  hcl.Expression
	diags hcl.Diagnostics
}

func isObject(v cty.Value) bool { return v.Type().IsObjectType() || v.Type().IsMapType() }

func (c *configCheck) value(k key, v cty.Value, path []string, hidden bool) {
	v, marks := v.Unmark()
	_, marked := marks[sensitive]
	hidden = hidden || marked
	if !v.IsKnown() || v.IsNull() {
		return
	}
	switch {
	case k.keys != nil && !isObject(v):
		c.report(path, "Invalid value", "must be an object.")
		return
	case k.check != nil:
		if complaint := k.check(unmarked(v)); v.IsWhollyKnown() && complaint != "" {
			c.report(path, "Invalid value", "must be "+complaint+".")
			return
		}
	case k.any && !isObject(v) && v.Type() != cty.Bool:
		c.report(path, "Invalid value", "must be an object.")
		return
	}
	switch {
	case k.keys != nil:
		c.object(k, v, path, hidden)
	case hidden && v.Type().IsPrimitiveType() && v.Type() != cty.String:
		c.report(path, "Sensitive value", "can be sensitive only if it is a text.")
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			c.value(anything, element, path, hidden)
		}
	}
}

// anything is what a list or an object may hold that is not looked into.
var anything = key{check: func(cty.Value) string { return "" }}

func unmarked(v cty.Value) cty.Value {
	v, _ = v.UnmarkDeep()
	return v
}

func (c *configCheck) object(k key, v cty.Value, path []string, hidden bool) {
	elements := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		at := append(slices.Clone(path), name)
		child, ok := k.keys[name]
		if !ok && k.other != nil {
			child, ok = k.other(name)
		}
		switch {
		case !ok:
			c.report(at, "Unknown key", "is not a key that XMRig knows; it would ignore it."+
				didYouMean(name, slices.Sorted(maps.Keys(k.keys))))
		case child.owner != "":
			c.report(at, "Key set elsewhere", child.owner+".")
		default:
			c.value(child, elements[name], at, hidden)
		}
	}
}

func (c *configCheck) report(path []string, summary, detail string) {
	c.diags = append(c.diags, problem(keyRange(c.expr, path), summary, "%q of config.json %s", strings.Join(path, "."), detail))
}

// keyRange is where an object expression sets the value at path: the key, or
// as far as the objects are written out.
func keyRange(expr hcl.Expression, path []string) hcl.Range {
	at := expr.Range()
	for _, name := range path {
		object, ok := expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			break
		}
		i := slices.IndexFunc(object.Items, func(item hclsyntax.ObjectConsItem) bool {
			given, ok := constantString(item.KeyExpr)
			return ok && given == name
		})
		if i < 0 {
			break
		}
		at, expr = object.Items[i].KeyExpr.Range(), object.Items[i].ValueExpr
	}
	return at
}
