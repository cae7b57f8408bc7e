package hcl

import (
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

var requiredVersion = attribute{name: "required_version", typ: cty.String, noHost: "the file has one fleet"}

// fits checks that this xmrfleet is one that the file asks for. One that is not
// may not understand the rest of it, so nothing else is worth saying then.
func (l *loader) fits(at *hcl.Attribute) bool {
	s := l.setting(requiredVersion, at)
	if !s.value.IsWhollyKnown() || s.value.IsNull() || s.value.Type() != cty.String {
		return true // setting said why
	}
	wanted, err := version.NewConstraint(s.value.AsString())
	if err != nil {
		l.diags.add("", problem(at.Expr.Range(), "Invalid version constraint", `Want something like ">= 1.2, < 2.0".`))
		return true
	}
	is, err := version.NewVersion(strings.TrimPrefix(l.opts.Version, "v"))
	if err != nil {
		l.diags.add("", remark(at.Expr.Range(), "Version not checked", "This xmrfleet is a build without a version (%s), so it is not known whether it is %s.", l.opts.Version, wanted))
		return true
	}
	if !wanted.Check(is.Core()) { // what was built after a release counts as the release
		l.diags = collector{}
		l.diags.add("", problem(at.Expr.Range(), "Another xmrfleet is required", "This is xmrfleet %s, and the fleet file requires %s.", l.opts.Version, wanted))
		return false
	}
	return true
}
