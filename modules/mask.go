package modules

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// A jsonPath leads to a place in a JSON document by its keys. Elements of a
// list are all at the place of the list: it may have shifted between the old
// file and the new one, or be no list in one of them.
type jsonPath []string

// alwaysSecret are keys that no output shows wherever they are: the old file
// may hold them although the new one does not.
var alwaysSecret = []string{"access-token", "token", "spend-secret-key"}

// maskJSON is a File.Show for JSON with secrets at the given paths. Old and
// new content are masked alike, so that the rest still shows its difference.
// A document that is no JSON object could hold a secret anywhere and is not
// shown.
func maskJSON(secrets []jsonPath) func([]byte) string {
	return func(content []byte) string {
		var tree map[string]any
		d := json.NewDecoder(bytes.NewReader(content))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			return "(no JSON object, not shown)\n"
		}
		return string(canonical(masked(tree, nil, secrets)))
	}
}

func masked(tree any, at jsonPath, secrets []jsonPath) any {
	isSecret := func(p jsonPath) bool {
		return slices.ContainsFunc(secrets, func(s jsonPath) bool { return slices.EqualFunc(s, p, strings.EqualFold) }) ||
			len(p) > 0 && slices.Contains(alwaysSecret, strings.ToLower(p[len(p)-1]))
	}
	if tree == nil || tree == "" {
		return tree
	}
	if isSecret(at) {
		return Masked
	}
	switch v := tree.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = masked(child, append(slices.Clone(at), key), secrets)
		}
	case []any:
		for i, child := range v {
			v[i] = masked(child, at, secrets)
		}
	}
	return tree
}
