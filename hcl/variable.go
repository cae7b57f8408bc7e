package hcl

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "sensitive"}, {Name: "description"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
}

var validationSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}},
}

// variables defines what the variable blocks declare.
func (l *loader) variables(blocks hcl.Blocks) {
	declared := map[string]hcl.Range{}
	for _, b := range blocks {
		name := b.Labels[0]
		if !hclsyntax.ValidIdentifier(name) {
			l.diags.add("", problem(b.LabelRanges[0], "Invalid name", "The name of a variable is made of letters, digits, dashes and underscores."))
		}
		if first, ok := declared[name]; ok {
			l.duplicate(b.DefRange, "variable", name, first)
			continue
		}
		declared[name] = b.DefRange
		l.scope.vars[name] = l.variable(name, b)
	}
	for _, name := range slices.Sorted(maps.Keys(l.opts.Vars)) {
		if _, ok := declared[name]; !ok {
			l.diags.add("", &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Undeclared variable",
				Detail: "The file declares no variable \"" + name + "\", but a value was given with --var." +
					didYouMean(name, slices.Sorted(maps.Keys(declared))),
			})
		}
	}
}

// variable is the value of one variable, unknown if there is a mistake.
func (l *loader) variable(name string, b *hcl.Block) cty.Value {
	content, diags := b.Body.Content(variableSchema)
	l.diags.add("", diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	want, defaults := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil)
	if at := content.Attributes["type"]; at != nil {
		want, defaults, diags = typeexpr.TypeConstraintWithDefaults(at.Expr)
		l.diags.add("", diags...)
	}
	hidden := l.constant(content.Attributes["sensitive"], cty.Bool)
	l.constant(content.Attributes["description"], cty.String)

	value, at, ok := l.given(name, b, want, content.Attributes["default"])
	secret := hidden != cty.NilVal && hidden.True()
	if secret {
		l.hide(value.Mark(sensitive))
		if d := content.Attributes["default"]; d != nil && isLiteral(d.Expr) {
			l.diags.add("", problem(d.Expr.Range(), "Secret in the file",
				"The default of a sensitive variable must not stand in the file. Read it with env() or file(), or leave it out."))
		}
	}
	if !ok || diags.HasErrors() {
		return cty.DynamicVal
	}
	if defaults != nil && !value.IsNull() {
		value = defaults.Apply(value)
	}
	value, err := convert.Convert(value, want)
	if err != nil {
		l.diags.add("", problem(at, "Invalid value for a variable", "The value of %q is not suitable: %s.", name, conversionError(err)))
		return cty.DynamicVal
	}
	if secret {
		value = value.Mark(sensitive)
	}
	l.hide(value)
	for _, v := range content.Blocks {
		l.validate(name, value, v)
	}
	return value
}

// given is the value from the command line, the environment or the default,
// in that order, and the place to blame for it.
func (l *loader) given(name string, b *hcl.Block, want cty.Type, fallback *hcl.Attribute) (cty.Value, hcl.Range, bool) {
	text, ok := l.opts.Vars[name]
	if !ok {
		text, ok = l.env("XMRFLEET_VAR_" + name)
	}
	if ok {
		v, ok := l.parse(name, text, want, b.DefRange)
		return v, b.DefRange, ok
	}
	if fallback == nil {
		l.diags.add("", problem(b.DefRange, "No value for a variable",
			"The variable %q has no default. Give a value with --var %s=VALUE or in the environment as XMRFLEET_VAR_%s.", name, name, name))
		return cty.DynamicVal, b.DefRange, false
	}
	at := fallback.Expr.Range()
	diags := (&scope{}).check(fallback.Expr, noHostInVariables)
	if !diags.HasErrors() {
		var v cty.Value
		v, diags = l.scope.evaluate(fallback.Expr, &hcl.EvalContext{Functions: l.scope.functions})
		l.diags.add("", diags...)
		return v, at, !diags.HasErrors()
	}
	l.diags.add("", problem(*diags[0].Subject, "Reference in a default", "The default of a variable can call functions, but not refer to other values."))
	return cty.DynamicVal, at, false
}

const noHostInVariables = "variables and locals have one value for the whole fleet"

// parse reads a value from outside. Lists and objects are written as in the
// file; everything else is taken as it is.
func (l *loader) parse(name, text string, want cty.Type, at hcl.Range) (cty.Value, bool) {
	if want.IsPrimitiveType() || want == cty.DynamicPseudoType {
		return cty.StringVal(text), true
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "--var "+name, hcl.InitialPos)
	if !diags.HasErrors() {
		var v cty.Value
		if v, diags = expr.Value(nil); !diags.HasErrors() {
			return v, true
		}
	}
	l.diags.add("", problem(at, "Invalid value for a variable",
		"The value of %q from outside of the file must be written as in the file: %s is wanted.", name, typeexpr.TypeString(want)))
	return cty.DynamicVal, false
}

// validate checks a value with a validation block.
func (l *loader) validate(name string, value cty.Value, b *hcl.Block) {
	content, diags := b.Body.Content(validationSchema)
	l.diags.add("", diags...)
	if diags.HasErrors() {
		return
	}
	s := l.scope
	s.vars, s.locals = map[string]cty.Value{name: value}, nil
	var values [2]cty.Value
	for i, key := range []string{"condition", "error_message"} {
		expr := content.Attributes[key].Expr
		if unknown := s.check(expr, noHostInVariables); unknown.HasErrors() {
			l.diags.add("", problem(*unknown[0].Subject, "Reference in a validation", "A validation can refer to its own variable only: var.%s.", name))
			return
		}
		values[i], diags = s.evaluate(expr, s.current())
		l.diags.add("", diags...)
		if diags.HasErrors() {
			return
		}
	}
	ok, err := convert.Convert(values[0], cty.Bool)
	if ok, _ = ok.Unmark(); err != nil || !ok.IsKnown() || ok.IsNull() {
		l.diags.add("", problem(content.Attributes["condition"].Range, "Invalid condition", "The condition must be true or false."))
		return
	}
	message, err := convert.Convert(values[1], cty.String)
	if err != nil || message.IsNull() || message.ContainsMarked() {
		l.diags.add("", problem(content.Attributes["error_message"].Range, "Invalid error message", "The message must be a text that is not sensitive."))
		return
	}
	if ok.False() {
		l.diags.add("", problem(b.DefRange, "Invalid value for a variable", "The value of %q was refused: %s", name, message.AsString()))
	}
}

// constant is an attribute that must stand in the file as it is.
func (l *loader) constant(at *hcl.Attribute, want cty.Type) cty.Value {
	if at == nil {
		return cty.NilVal
	}
	v, diags := at.Expr.Value(nil)
	if !diags.HasErrors() && !v.IsNull() && v.Type() == want {
		return v
	}
	l.diags.add("", problem(at.Expr.Range(), "Invalid value", "%q must be a literal %s.", at.Name, want.FriendlyName()))
	return cty.NilVal
}

// localValues defines what the locals blocks name, each after what it refers
// to.
func (l *loader) localValues(blocks hcl.Blocks) {
	pending := hcl.Attributes{}
	for _, b := range blocks {
		attrs, diags := b.Body.JustAttributes()
		l.diags.add("", diags...)
		for name, at := range attrs {
			if first, ok := pending[name]; ok {
				l.duplicate(at.NameRange, "local value", name, first.NameRange)
				continue
			}
			pending[name] = at
			l.scope.locals[name] = cty.DynamicVal
		}
	}
	state := map[string]int{} // 0 not begun, 1 under way, 2 done
	var visit func(name string)
	visit = func(name string) {
		at := pending[name]
		if at == nil || state[name] == 2 {
			return
		}
		if state[name] == 1 {
			l.diags.add("", problem(at.NameRange, "Circular reference", "The local value %q refers to itself, directly or through others.", name))
			return
		}
		state[name] = 1
		for _, ref := range at.Expr.Variables() {
			if step, ok := second(ref); ok && ref.RootName() == "local" {
				visit(step)
			}
		}
		state[name] = 2
		diags := l.scope.check(at.Expr, noHostInVariables)
		if !diags.HasErrors() {
			var v cty.Value
			if v, diags = l.scope.evaluate(at.Expr, l.scope.current()); !diags.HasErrors() {
				l.scope.locals[name] = v
			}
		}
		l.diags.add("", diags...)
	}
	for _, name := range slices.Sorted(maps.Keys(pending)) {
		visit(name)
	}
}

// second is the name after the root of a reference.
func second(ref hcl.Traversal) (string, bool) {
	if len(ref) < 2 {
		return "", false
	}
	step, ok := ref[1].(hcl.TraverseAttr)
	return step.Name, ok
}
