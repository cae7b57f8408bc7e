package modules

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"slices"
	"strconv"
)

// xmrigConfig is config.json as the miner's description wants it, Values not
// yet revealed.
//
// autosave and watch are off, because XMRig would rewrite the file (XMRig
// source, CpuConfig.cpp:166) and stops watching a file that was away for a
// moment. The API answers on loopback only and changes nothing.
func (m Miner) xmrigConfig() map[string]any {
	x := m.XMRig
	var token any // null: no token
	if !x.AccessToken.IsEmpty() {
		token = x.AccessToken
	}
	cpu := map[string]any{
		"enabled":          true,
		"huge-pages":       x.HugePages,
		"max-threads-hint": x.MaxThreadsHint,
	}
	if x.Priority != nil {
		cpu["priority"] = *x.Priority
	}
	pools := make([]any, len(m.Pools))
	for i, p := range m.Pools {
		pools[i] = m.poolConfig(p)
	}
	config := map[string]any{
		"api":          map[string]any{"worker-id": m.Worker},
		"autosave":     false,
		"background":   false,
		"colors":       false,
		"cpu":          cpu,
		"cuda":         map[string]any{"enabled": false},
		"donate-level": x.DonateLevel,
		"http": map[string]any{
			"enabled":      true,
			"host":         "127.0.0.1",
			"port":         x.HTTPPort,
			"access-token": token,
			"restricted":   true,
		},
		"log-file": nil,
		"opencl":   map[string]any{"enabled": false},
		"pools":    pools,
		"syslog":   false,
		"watch":    false,
	}
	return merge(config, x.Config)
}

func (m Miner) poolConfig(p Pool) map[string]any {
	pool := map[string]any{
		"url":       p.URL,
		"user":      or(p.User, m.Wallet),
		"pass":      or(p.Pass, Plain(m.Worker)),
		"rig-id":    p.RigID,
		"keepalive": p.Keepalive,
		"nicehash":  p.Nicehash,
		"tls":       p.TLS,
	}
	if p.RigID == "" {
		pool["rig-id"] = m.Worker
	}
	if p.SNI {
		pool["sni"] = true
	}
	for key, value := range map[string]string{"algo": p.Algo, "coin": p.Coin, "socks5": p.SOCKS5, "tls-fingerprint": p.TLSFingerprint} {
		if value != "" {
			pool[key] = value
		}
	}
	return pool
}

func or(v, otherwise Value) Value {
	if v.IsEmpty() {
		return otherwise
	}
	return v
}

// merge lays over above base: objects are merged key by key, all else is
// replaced. Neither is changed.
func merge(base, over map[string]any) map[string]any {
	merged := maps.Clone(base)
	for key, value := range over {
		below, isObject := merged[key].(map[string]any)
		above, bothObjects := value.(map[string]any)
		if isObject && bothObjects {
			merged[key] = merge(below, above)
		} else {
			merged[key] = value
		}
	}
	return merged
}

// apiAddress is where the agent finds the miner's API.
func (m Miner) apiAddress() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.XMRig.HTTPPort))
}

// configFile is the content of XMRig's config.json, and where secrets are in it.
func (m Miner) configFile() (content []byte, secrets []jsonPath) {
	content = canonical(reveal(m.xmrigConfig(), nil, &secrets))
	return content, secrets
}

// canonical is the one form in which we write JSON: keys sorted, four blanks,
// a newline at the end.
func canonical(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "    ")
	if err := e.Encode(v); err != nil {
		panic(err) // the tree was made by us or by encoding/json
	}
	return buf.Bytes()
}

// reveal replaces every Value of a JSON tree by its content, and lists where
// the secret ones are.
func reveal(tree any, at jsonPath, secrets *[]jsonPath) any {
	switch v := tree.(type) {
	case Value:
		if v.IsSecret() {
			*secrets = append(*secrets, slices.Clone(at))
		}
		return v.Reveal()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, child := range v {
			out[key] = reveal(child, append(at, key), secrets)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = reveal(child, at, secrets)
		}
		return out
	}
	return tree
}
