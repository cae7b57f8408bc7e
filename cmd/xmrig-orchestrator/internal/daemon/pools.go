package daemon

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"xmrfleet/modules/agent"
)

// Payees tells of the miner's configuration file for whom the miner mines. It is
// nil where the file cannot be read.
func (h *Host) Payees() *agent.Config {
	b, err := readFile(h.MinerConfig)
	if err != nil {
		return nil
	}
	var file struct {
		Pools []map[string]any `json:"pools"`
	}
	if json.Unmarshal(strict(b), &file) != nil {
		return nil
	}
	sum := sha256.Sum256(b)
	c := &agent.Config{SHA256: hex.EncodeToString(sum[:]), Payees: []string{}}
	for _, pool := range file.Pools {
		// As XMRig takes them: what is of another type is not there.
		url, _ := pool["url"].(string)
		user, _ := pool["user"].(string)
		if enabled, ok := pool["enabled"].(bool); url != "" && (enabled || !ok) {
			c.Payees = append(c.Payees, agent.Payee(url, user))
		}
	}
	return c
}

// strict turns what XMRig reads as JSON into JSON: it leaves out comments, and
// commas that nothing follows.
func strict(text []byte) []byte {
	var out []byte
	for len(text) > 0 {
		n := 1
		switch {
		case text[0] == '"':
			n = quoted(text)
		case bytes.HasPrefix(text, []byte("//")):
			text = after(text, "\n")
			continue
		case bytes.HasPrefix(text, []byte("/*")):
			text = after(text[2:], "*/")
			continue
		case text[0] == '}' || text[0] == ']':
			out = bytes.TrimSuffix(bytes.TrimRight(out, " \t\r\n"), []byte(","))
		}
		out = append(out, text[:n]...)
		text = text[n:]
	}
	return out
}

// quoted is the length of the string that text begins with.
func quoted(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// after is what follows the first end in text.
func after(text []byte, end string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(end))
	return rest
}
