package modules

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// A jsonPath leads to a place in a JSON document by its keys. Elements of a
// list are all at the place of the list: it may have shifted between the old
// file and the new one, or be no list in one of them.
type jsonPath []string

// The keys that are masked wherever they are: the old file may hold them
// although the new one does not. Accounts are, unless their text is known to
// be plain; of an address, what stands before the @ is.
var (
	alwaysSecret = []string{"access-token", "token", "spend-secret-key", "password", "passwd", "secret"}
	accounts     = []string{"user", "pass"}
	addresses    = []string{"url", "socks5"}
)

// moneroAddress is the shape of an address, which is no secret.
var moneroAddress = regexp.MustCompile(`^([48][1-9A-HJ-NP-Za-km-z]{94}|4[1-9A-HJ-NP-Za-km-z]{105})$`)

// maskJSON is a File.Show for JSON with secrets at the given paths, and plain
// texts that an account may show. Old and new content are masked alike, so
// that the rest still shows its difference. A document that is no JSON object
// could hold a secret anywhere and is not shown.
func maskJSON(secrets []jsonPath, plain ...string) func([]byte) string {
	return func(content []byte) string {
		var tree map[string]any
		d := json.NewDecoder(bytes.NewReader(content))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			return "(no JSON object, not shown)\n"
		}
		return string(canonical(mask{secrets, plain}.tree(tree, nil)))
	}
}

// plainAccounts lists what the pools' users and passwords may show.
func (m Miner) plainAccounts() []string {
	values := []Value{Plain(m.Worker), m.Wallet}
	for _, p := range m.Pools {
		values = append(values, p.User, p.Pass)
	}
	var plain []string
	for _, v := range values {
		if !v.IsSecret() {
			plain = append(plain, v.Reveal())
		}
	}
	return plain
}

type mask struct {
	secrets []jsonPath
	plain   []string
}

func (m mask) tree(tree any, at jsonPath) any {
	if tree == nil || tree == "" {
		return tree
	}
	if m.hides(tree, at) {
		return Masked
	}
	switch v := tree.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = m.tree(child, append(slices.Clone(at), key))
		}
	case []any:
		for i, child := range v {
			v[i] = m.tree(child, at)
		}
	case string:
		if i := strings.LastIndex(v, "@"); i >= 0 && slices.Contains(addresses, at.key()) {
			return Masked + v[i:]
		}
	}
	return tree
}

// hides reports whether nothing of what is there may be seen.
func (m mask) hides(tree any, at jsonPath) bool {
	isHere := func(p jsonPath) bool { return slices.EqualFunc(p, at, strings.EqualFold) }
	key := at.key()
	if slices.ContainsFunc(m.secrets, isHere) || slices.Contains(alwaysSecret, key) {
		return true
	}
	if !slices.Contains(accounts, key) {
		return false
	}
	text, isText := tree.(string)
	return !isText || !slices.Contains(m.plain, text) && !(key == "user" && moneroAddress.MatchString(text))
}

// key is the last key of the path, in lower case.
func (p jsonPath) key() string {
	if len(p) == 0 {
		return ""
	}
	return strings.ToLower(p[len(p)-1])
}
