package hcl

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A setting is an attribute in one place of the file.
type setting struct {
	attribute
	expr    hcl.Expression
	rng     hcl.Range // of the name
	perHost bool      // the value differs between hosts

	// value holds for all hosts. It is unknown as far as it depends on the
	// host, and altogether if there is a mistake.
	value cty.Value
}

// setting evaluates an attribute as far as it is the same for all hosts, so
// that a mistake is found once.
func (l *loader) setting(a attribute, at *hcl.Attribute) *setting {
	s := &setting{attribute: a, expr: at.Expr, rng: at.NameRange, value: cty.DynamicVal}
	if a.token && isLiteral(at.Expr) {
		l.diags.add("", problem(at.Expr.Range(), "Secret in the file",
			"%q must not stand in the file. Read it with env() or file(), or from a sensitive variable.", a.name))
		return s
	}
	if diags := l.scope.check(at.Expr, a.noHost); diags.HasErrors() {
		l.diags.add("", diags...)
		return s
	}
	value, ok := l.evaluate(s, "")
	s.value = value
	s.perHost = ok && refersToHost(at.Expr)
	return s
}

// valueFor is the setting's value for a host. It is unknown if it was found to
// be wrong.
func (l *loader) valueFor(s *setting, host string) cty.Value {
	if !s.perHost {
		return s.value
	}
	v, _ := l.evaluate(s, host)
	return v
}

// evaluate gives a value of the attribute's type that its check accepts.
func (l *loader) evaluate(s *setting, host string) (cty.Value, bool) {
	at := s.expr.Range()
	v, diags := l.scope.evaluate(s.expr, l.scope.forHost(host))
	if diags.HasErrors() {
		l.diags.add(host, diags...)
		return cty.DynamicVal, false
	}
	v, err := convert.Convert(v, s.typ)
	if err != nil {
		l.diags.add(host, problem(at, "Incorrect type", "Inappropriate value for %q: %s.", s.name, conversionError(err)))
		return cty.DynamicVal, false
	}
	if s.token && !v.IsNull() {
		v = v.Mark(sensitive)
		l.hide(v)
	}
	plain, _ := v.UnmarkDeep()
	switch {
	case v.ContainsMarked() && !s.secret:
		diags = append(diags, problem(at, "Sensitive value", "%q is shown in plans and logs, so it cannot hold a sensitive value.", s.name))
	case plain.IsNull() || !plain.IsWhollyKnown():
	case s.check != nil:
		if complaint := s.check(plain); complaint != "" {
			diags = append(diags, problem(at, "Invalid value", "%q %s", s.name, sentence(complaint)))
		}
	}
	if s.name == "config" {
		diags = append(diags, checkConfig(s.expr, v)...)
	}
	l.diags.add(host, diags...)
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	return v, true
}

// conversionError is what is wrong with a value's type, without the value.
func conversionError(err error) string {
	text := strings.ReplaceAll(err.Error(), "a bool is required", "true or false is required")
	if path, ok := err.(cty.PathError); ok && len(path.Path) > 0 {
		return "in one of its elements, " + text
	}
	return text
}

// sentence adds the full stop that a detail ends with.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

func isTrue(v cty.Value) bool {
	v, _ = v.Unmark()
	return v.IsKnown() && !v.IsNull() && v.Type() == cty.Bool && v.True()
}
