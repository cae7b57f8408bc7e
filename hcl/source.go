package hcl

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"xmrfleet/modules"
)

// A source is the text of the fleet file and what of it may be shown.
type source struct {
	name    string
	text    []byte
	body    *hclsyntax.Body
	broken  bool        // it did not parse
	secrets []hcl.Range // literals that no output may show
}

// snippet cuts the line where rng starts.
func (s *source) snippet(rng hcl.Range) *Snippet {
	from := bytes.LastIndexByte(s.text[:rng.Start.Byte], '\n') + 1
	to := len(s.text)
	if i := bytes.IndexByte(s.text[rng.Start.Byte:], '\n'); i >= 0 {
		to = rng.Start.Byte + i
	}
	if to > from && s.text[to-1] == '\r' {
		to--
	}
	start := min(rng.Start.Byte, to)
	end := max(start, min(rng.End.Byte, to))
	before, marked, after := s.masked(from, start, from), s.masked(start, end, from), s.masked(end, to, from)
	if s.broken {
		before, marked, after = maskBroken(before, marked, after)
	}
	return &Snippet{
		Context:        s.context(rng.Start.Byte),
		Code:           before + marked + after,
		StartLine:      rng.Start.Line,
		HighlightStart: len(before),
		HighlightEnd:   len(before) + len(marked),
	}
}

// masked is the text between two offsets of a line, with secret literals
// replaced. One that began before, in the same line, was replaced there.
func (s *source) masked(from, to, line int) string {
	var out strings.Builder
	for _, r := range s.secrets {
		if r.End.Byte <= from || r.Start.Byte >= to {
			continue
		}
		out.Write(s.text[from:max(from, r.Start.Byte)])
		if r.Start.Byte >= from || from == line {
			out.WriteString(modules.Masked)
		}
		from = min(to, r.End.Byte)
	}
	out.Write(s.text[from:to])
	return out.String()
}

// likelySecret matches words after which a line could hold a secret. It serves
// files that do not parse, where no tree tells.
var likelySecret = regexp.MustCompile(`(?i)token|pass|secret|sensitive|default`)

func maskBroken(before, marked, after string) (string, string, string) {
	at := likelySecret.FindStringIndex(before + marked + after)
	if at == nil {
		return before, marked, after
	}
	keep := at[1]
	cut := func(s string) string {
		n := min(keep, len(s))
		keep -= n
		return s[:n]
	}
	b, m, a := cut(before), cut(marked), cut(after)
	return b, m, a + " " + modules.Masked
}

// context names the blocks around an offset: `host "mini-1", xmrig`. In a file
// that does not parse anything may look like a label.
func (s *source) context(offset int) string {
	if s.broken {
		return ""
	}
	var names []string
	for body := s.body; body != nil; {
		i := slices.IndexFunc(body.Blocks, func(b *hclsyntax.Block) bool {
			return b.Range().Start.Byte <= offset && offset < b.Range().End.Byte
		})
		if i < 0 {
			break
		}
		block := body.Blocks[i]
		name := block.Type
		for _, label := range block.Labels {
			name += ` "` + label + `"`
		}
		names = append(names, name)
		body = block.Body
	}
	return strings.Join(names, ", ")
}

// secretKeys hold secrets wherever they stand, as attribute or object key.
var secretKeys = []string{"access_token", "access-token", "spend-secret-key"}

// findSecrets looks for literals in places that hold secrets: refused or not,
// no snippet may show them.
func (s *source) findSecrets() {
	hclsyntax.VisitAll(s.body, func(node hclsyntax.Node) hcl.Diagnostics {
		switch n := node.(type) {
		case *hclsyntax.Attribute:
			if slices.Contains(secretKeys, n.Name) {
				s.hide(n.Expr)
			}
		case *hclsyntax.FunctionCallExpr:
			if n.Name == "sensitive" {
				for _, arg := range n.Args {
					s.hide(arg)
				}
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				if key, ok := constantString(item.KeyExpr); ok && slices.Contains(secretKeys, key) {
					s.hide(item.ValueExpr)
				}
			}
		case *hclsyntax.Block:
			sensitive, default_ := n.Body.Attributes["sensitive"], n.Body.Attributes["default"]
			if n.Type == "variable" && sensitive != nil && default_ != nil {
				s.hide(default_.Expr)
			}
		}
		return nil
	})
	slices.SortFunc(s.secrets, func(a, b hcl.Range) int { return cmp.Compare(a.Start.Byte, b.Start.Byte) })
}

// hide keeps the strings that stand in expr out of all snippets, except the
// names of environment variables and files.
func (s *source) hide(expr hclsyntax.Expression) {
	if isLiteral(expr) {
		s.secrets = append(s.secrets, expr.Range())
		return
	}
	hclsyntax.Walk(expr, &literals{found: &s.secrets})
}

// literals collects the strings of an expression that name no source.
type literals struct {
	found   *[]hcl.Range
	sources int // calls of env and file around the node
}

func (l *literals) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case *hclsyntax.FunctionCallExpr:
		if readsSource(n) {
			l.sources++
		}
	case *hclsyntax.LiteralValueExpr:
		if l.sources == 0 && n.Val.Type() == cty.String {
			*l.found = append(*l.found, n.SrcRange)
		}
	}
	return nil
}

func (l *literals) Exit(node hclsyntax.Node) hcl.Diagnostics {
	if call, ok := node.(*hclsyntax.FunctionCallExpr); ok && readsSource(call) {
		l.sources--
	}
	return nil
}

func readsSource(call *hclsyntax.FunctionCallExpr) bool {
	return call.Name == "env" || call.Name == "file"
}

// isLiteral reports whether the file itself holds the value of expr: it refers
// to no other value and reads neither the environment nor a file. A word that
// is nothing to refer to counts as a literal whose quotes were forgotten.
func isLiteral(expr hcl.Expression) bool {
	for _, ref := range expr.Variables() {
		if root := ref.RootName(); root == "var" || root == "local" {
			return false
		}
	}
	v, diags := expr.Value(nil)
	return !calls(expr, "env", "file") && (diags.HasErrors() || !v.IsNull())
}

// calls reports whether expr calls one of the functions.
func calls(expr hcl.Expression, names ...string) bool {
	node, ok := expr.(hclsyntax.Expression)
	if !ok {
		return false
	}
	found := false
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && slices.Contains(names, call.Name) {
			found = true
		}
		return nil
	})
	return found
}

// constantString is the value of an expression that needs no context.
func constantString(expr hcl.Expression) (string, bool) {
	if key := hcl.ExprAsKeyword(expr); key != "" {
		return key, true
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}
