package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestScriptsHaveTheirHome holds that a shell script for hosts stands in
// package modules, which says what it is for, or in package executor, which
// says how commands run: nobody else makes a command of a script.
func TestScriptsHaveTheirHome(t *testing.T) {
	homes := []string{"xmrfleet/modules", "xmrfleet/executor"}
	read := 0
	for _, dir := range list(t, "-f", "{{.ImportPath}}|{{.Dir}}|{{join .GoFiles \",\"}}", "xmrfleet/...") {
		w := strings.Split(dir, "|")
		if w[0] == homes[0] || w[0] == homes[1] {
			continue
		}
		for _, name := range strings.Split(w[2], ",") {
			if name == "" {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, w[1]+"/"+name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			read++
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr: // Command{Script: ...}
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Script" && !ofCommand(n.Value) {
						t.Errorf("%s: a script that belongs to package modules", set.Position(n.Pos()))
					}
				case *ast.CallExpr: // Stream(ctx, stdout, stderr, script, args...)
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Stream" && len(n.Args) > 3 && !ofCommand(n.Args[3]) {
						t.Errorf("%s: a script that belongs to package modules", set.Position(n.Pos()))
					}
				}
				return true
			})
		}
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

// ofCommand reports whether e is the script of a command that was made elsewhere.
func ofCommand(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Script"
}
