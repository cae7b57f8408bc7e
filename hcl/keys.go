package hcl

import (
	"regexp"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// A key is one that XMRig knows in its config.json. Exactly one of the fields
// says what it takes; null is always fine and means XMRig's own default.
type key struct {
	check kindCheck      // a value
	keys  map[string]key // an object with these keys
	owner string         // refused: what to write instead
	any   bool           // an object that is not looked into

	// other takes the names that a rule, not a list, allows. It goes with
	// keys.
	other func(name string) (key, bool)
}

// A kindCheck completes "KEY must be ...". The value is known, not null and
// unmarked; its type is whatever the file says.
type kindCheck func(v cty.Value) string

// xmrigKeys are the keys of config.json and their bounds (XMRig source
// src/config.json, Config.cpp:250, BaseConfig, CpuConfig.cpp, RxConfig.cpp).
// XMRig ignores what it does not know and replaces what is out of bounds, both
// without a word.
var xmrigKeys = key{keys: map[string]key{
	"api": {keys: map[string]key{
		"id":        {check: aText},
		"worker-id": {owner: `is written from the attribute "worker"`},
	}},
	"autosave":     {owner: "is always false: XMRig would rewrite the file"},
	"background":   {owner: "is always false: systemd keeps the process"},
	"colors":       {check: aBool},
	"cpu":          {keys: cpuKeys, other: profile},
	"cuda":         {any: true},
	"dmi":          {check: aBool},
	"dns":          {keys: map[string]key{"ip_version": {check: aWord("0", "4", "6")}, "ttl": {check: aWhole(1, 86400)}}},
	"donate-level": {owner: `is written from the attribute "donate_level" of the xmrig block`},
	"donate-over-proxy": {
		check: aWhole(0, 2),
	},
	"health-print-time": {check: aWhole(0, 3600)},
	"http":              {owner: `is written from the attributes "http_port" and "access_token" of the xmrig block`},
	"log-file":          {check: aText},
	"opencl":            {any: true},
	"pause-on-active":   {check: either(aBool, aWhole(1, 86400))},
	"pause-on-battery":  {check: aBool},
	"pools":             {owner: "is written from pool blocks"},
	"print-time":        {check: aWhole(0, 3600)},
	"randomx":           {keys: randomxKeys},
	"retries":           {check: aWhole(1, 1000)},
	"retry-pause":       {check: aWhole(1, 3600)},
	"syslog":            {check: aBool},
	"title":             {check: either(aBool, aText)},
	"tls": {keys: map[string]key{
		"enabled": {check: aBool}, "protocols": {check: aText}, "cert": {check: aText}, "cert_key": {check: aText},
		"ciphers": {check: aText}, "ciphersuites": {check: aText}, "dhparam": {check: aText},
	}},
	"user-agent": {check: aText},
	"verbose":    {check: either(aBool, aWhole(0, 5))},
	"watch":      {owner: "is always false: xmrfleet restarts the miner where that is needed"},
}}

var cpuKeys = map[string]key{
	"enabled":          {check: aBool},
	"huge-pages":       {owner: `is written from the attribute "huge_pages" of the xmrig block`},
	"huge-pages-jit":   {check: aBool},
	"hw-aes":           {check: aBool},
	"priority":         {owner: `is written from the attribute "priority" of the xmrig block`},
	"memory-pool":      {check: either(aBool, aWhole(0, 1<<20))},
	"yield":            {check: aBool},
	"max-threads-hint": {owner: `is written from the attribute "max_threads_hint" of the xmrig block`},
	"asm":              {check: either(aBool, aWord("auto", "intel", "ryzen", "bulldozer", "none"))},
	"argon2-impl":      {check: aWord("x86_64", "SSE2", "SSSE3", "XOP", "AVX2", "AVX-512F")},
}

var randomxKeys = map[string]key{
	"init":                     {check: aWhole(-1, 4096)},
	"init-avx2":                {check: aWhole(-1, 1)},
	"mode":                     {check: aWord("auto", "fast", "light")},
	"1gb-pages":                {check: aBool},
	"rdmsr":                    {check: aBool},
	"wrmsr":                    {check: either(aBool, aWhole(-1, 1<<31-1), aList)},
	"cache_qos":                {check: aBool},
	"numa":                     {check: either(aBool, aList)},
	"scratchpad_prefetch_mode": {check: aWhole(0, 3)},
}

// algorithms are the families of XMRig's algorithm names; a member follows
// after a slash.
var algorithms = regexp.MustCompile(`^(rx|cn|cn-lite|cn-heavy|cn-pico|argon2|ghostrider|gr|kawpow|flex|randomx|cryptonight[a-z-]*)(/[a-z0-9]+)?$`)

// isAlgorithm accepts the name of an algorithm, as a pool's algo.
var isAlgorithm = satisfies(algorithms.MatchString, `must be an algorithm that XMRig knows, as "rx/0"`)

// profile accepts the threads of an algorithm: false, the name of another
// profile, a list of threads or an object.
func profile(name string) (key, bool) {
	if name != "*" && !algorithms.MatchString(name) {
		return key{}, false
	}
	return key{check: func(v cty.Value) string {
		if t := v.Type(); aBool(v) == "" || aText(v) == "" || aList(v) == "" || t.IsObjectType() || t.IsMapType() {
			return ""
		}
		return "a list of threads, an object, false, or the name of another profile"
	}}, true
}

func aBool(v cty.Value) string {
	if v.Type() != cty.Bool {
		return "true or false"
	}
	return ""
}

func aText(v cty.Value) string {
	if v.Type() != cty.String {
		return "a text"
	}
	return ""
}

func aList(v cty.Value) string {
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		return "a list"
	}
	return ""
}

func aWhole(low, high int64) kindCheck {
	return func(v cty.Value) string {
		if v.Type() == cty.Number && isWhole(v, low, high) {
			return ""
		}
		return wholeRange(low, high)
	}
}

// aWord takes one of the words; those that are digits may be numbers.
func aWord(words ...string) kindCheck {
	return func(v cty.Value) string {
		text := ""
		switch v.Type() {
		case cty.String:
			text = v.AsString()
		case cty.Number:
			text = v.AsBigFloat().Text('f', -1)
		}
		if slices.Contains(words, text) {
			return ""
		}
		return "one of " + quotedList(words)
	}
}

// either takes what one of the checks takes.
func either(checks ...kindCheck) kindCheck {
	return func(v cty.Value) string {
		all := ""
		for _, check := range checks {
			complaint := check(v)
			if complaint == "" {
				return ""
			}
			if all != "" {
				all += ", or "
			}
			all += complaint
		}
		return all
	}
}
