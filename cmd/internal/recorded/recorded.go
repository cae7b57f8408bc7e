// Package recorded holds the bodies that the HTTP API of XMRig 6.26.0 answered
// with, byte for byte: the tests of those who read them and the simulator, whose
// answers are made of them, have the same ones.
//
// They are recordings: none is edited, and nothing that is shipped may import
// this package. A new one is taken from a real XMRig, with a wallet and a token
// that are nobody's, and put into bodies under STATE.ENDPOINT.json.
package recorded

import (
	"embed"
	"path"
	"strings"
)

//go:embed bodies
var bodies embed.FS

// Body is the body of that name, "never-connected.summary" for instance. It
// panics if there is none.
func Body(name string) string {
	text, err := bodies.ReadFile(path.Join("bodies", name+".json"))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Names are the names of all bodies, in order.
func Names() []string {
	entries, err := bodies.ReadDir("bodies")
	if err != nil {
		panic(err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".json")
	}
	return names
}
