package hcl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// A scope is what expressions can refer to.
type scope struct {
	vars, locals map[string]cty.Value
	functions    map[string]function.Function
	hide         func(cty.Value) // told of every sensitive value

	context *hcl.EvalContext // of the values above; see settle
}

// settle ends the definition of variables and locals.
func (s *scope) settle() { s.context = s.current() }

// current is the context of what is defined so far.
func (s *scope) current() *hcl.EvalContext {
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(s.vars), "local": cty.ObjectVal(s.locals)},
		Functions: s.functions,
	}
}

// forHost adds host.name to the context. The empty name stands for any host:
// what depends on it is unknown.
func (s *scope) forHost(name string) *hcl.EvalContext {
	value := cty.UnknownVal(cty.String).RefineNotNull()
	if name != "" {
		value = cty.StringVal(name)
	}
	ctx := s.context.NewChild()
	ctx.Variables = map[string]cty.Value{"host": cty.ObjectVal(map[string]cty.Value{"name": value})}
	return ctx
}

// refersToHost reports whether the value of expr can differ between hosts.
func refersToHost(expr hcl.Expression) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "host" })
}

// check finds references to what is not there. why says what is wrong with
// host.name here; it is empty where host.name is allowed.
func (s *scope) check(expr hcl.Expression, why string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, ref := range expr.Variables() {
		at := ref.SourceRange()
		name, _ := second(ref)
		switch ref.RootName() {
		case "var":
			if _, ok := s.vars[name]; !ok {
				diags = append(diags, undeclared(at, "variable", name, s.vars))
			}
		case "local":
			if _, ok := s.locals[name]; !ok {
				diags = append(diags, undeclared(at, "local value", name, s.locals))
			}
		case "host":
			if why != "" {
				diags = append(diags, problem(at, "No host here", "host.name cannot be used here: %s.", why))
			} else if name != "name" {
				diags = append(diags, problem(at, "Unknown reference", "Of a host only its name is known: host.name."))
			}
		default:
			diags = append(diags, problem(at, "Unknown reference",
				"Expressions can refer to var.NAME, local.NAME and host.name. A text needs quotes."))
		}
	}
	return diags
}

func undeclared(at hcl.Range, kind, name string, known map[string]cty.Value) *hcl.Diagnostic {
	names := slices.Sorted(maps.Keys(known))
	return problem(at, "Undeclared "+kind, "The file declares no %s %q.%s", kind, name, didYouMean(name, names))
}

// evaluate is expr.Value with messages that hold no secret.
func (s *scope) evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := expr.Value(ctx)
	if len(diags) > 0 && s.handlesSecret(expr) {
		for _, d := range diags {
			withhold(d)
		}
	}
	for _, d := range diags {
		s.suggest(d)
	}
	s.hide(v)
	return v, diags
}

// suggest completes the message about an unknown function.
func (s *scope) suggest(d *hcl.Diagnostic) {
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
		name := call.CalledFunctionName()
		d.Detail = fmt.Sprintf("There is no function %q.%s", name, didYouMean(name, slices.Sorted(maps.Keys(s.functions))))
	}
}

// handlesSecret reports whether a value inside of expr may be one that no
// message should quote.
func (s *scope) handlesSecret(expr hcl.Expression) bool {
	if calls(expr, "env", "sensitive") {
		return true
	}
	return slices.ContainsFunc(expr.Variables(), func(ref hcl.Traversal) bool {
		values := map[string]map[string]cty.Value{"var": s.vars, "local": s.locals}[ref.RootName()]
		name, _ := second(ref)
		v, ok := values[name]
		return ok && v.ContainsMarked()
	})
}

// safeSummaries are of messages that quote names of the file only.
var safeSummaries = []string{
	"Call to unknown function", "Not enough function arguments", "Too many function arguments", "Unknown variable",
}

// withhold takes the detail of a message away unless it quotes no value.
func withhold(d *hcl.Diagnostic) {
	if slices.Contains(safeSummaries, d.Summary) {
		return
	}
	const hidden = "The reason is not shown, because the expression handles a sensitive value or the environment."
	d.Detail = hidden
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
		if open, ok := call.FunctionCallError().(openError); ok {
			d.Detail = capitalized(open.Error()) + "."
			return
		}
		d.Detail = `The call of "` + call.CalledFunctionName() + `" failed. ` + hidden
	}
}

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
