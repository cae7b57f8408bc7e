package modules

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestMask shows old contents of config.json, with secrets wherever XMRig or
// another tool would have put them, next to what the miner wants.
func TestMask(t *testing.T) {
	var config File
	for _, r := range typical().Resources() {
		if f, ok := r.(File); ok && f.Path == minerConfig {
			config = f
		}
	}
	for name, old := range map[string]string{
		"as it is":      string(config.Content),
		"other secrets": strings.ReplaceAll(string(config.Content), canary, "other-"+canary),
		"a pool more": `{"pools": [{"user": "a-canary", "pass": "b-canary"}, {"user": "c-canary", "pass": "d-canary"},
			{"user": "e-canary", "pass": "f-canary", "spend-secret-key": "g-canary"}]}`,
		"pools in another shape":  `{"pools": {"url": "a:1", "user": "a-canary", "pass": "b-canary"}}`,
		"pools nested":            `{"pools": [[{"user": "a-canary"}]]}`,
		"a list of pools in http": `{"http": [{"access-token": "a-canary"}]}`,
		"an object as a secret":   `{"http": {"access-token": {"value": "a-canary", "list": ["b-canary"]}}}`,
		"a list as a secret":      `{"pools": [{"pass": ["a-canary"]}]}`,
		"token on top":            `{"access-token": "a-canary", "token": "b-canary"}`,
		"keys written otherwise":  `{"HTTP": {"Access-Token": "a-canary"}, "Pools": [{"Pass": "b-canary"}]}`,
		"key twice":               `{"pools": [{"pass": "a-canary"}], "pools": [{"pass": "b-canary"}]}`,
		"with comments":           "{\n// pass is a-canary\n\"pools\": []}",
		"not JSON":                "a-canary",
		"not JSON at the end":     `{"pools": []} a-canary`,
		"a string":                `"a-canary"`,
		"a list":                  `["a-canary"]`,
	} {
		probed := "file 640 root xmrig 1 content\n" + old
		c, err := config.Diff(probed, Facts{})
		if err != nil {
			t.Fatal(err)
		}
		shown(t, name, c)
		if name == "other secrets" && (c.Action != Update || c.Reason != "content differs (not shown)" || c.After != "") {
			t.Errorf("%s: %s %q, shown %q", name, c.Action, c.Reason, c.After)
		}
		if name == "not JSON" && c.Before != "(no JSON object, not shown)\n" {
			t.Errorf("%s: shown as %q", name, c.Before)
		}
	}
}

func TestMaskShowsTheRest(t *testing.T) {
	show := maskJSON([]jsonPath{{"pools", "pass"}}, "plain")
	got := show([]byte(`{"pools": [{"url": "a:1", "pass": "x"}, {"url": "b:1", "pass": "", "n": 12345678901234567890}], "pass": "plain", "http": {"access-token": null}}`))
	want := `{
    "http": {
        "access-token": null
    },
    "pass": "plain",
    "pools": [
        {
            "pass": "(sensitive)",
            "url": "a:1"
        },
        {
            "n": 12345678901234567890,
            "pass": "",
            "url": "b:1"
        }
    ]
}
`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestMaskOld shows files whose secrets are none of the description's any
// more, or never were.
func TestMaskOld(t *testing.T) {
	m := typical()
	address := "4" + strings.Repeat("A", 94)
	m.Wallet = Plain(address)
	m.Pools = []Pool{{URL: "a:1", Pass: Plain("new")}, {URL: "b:1", User: Plain("me"), SOCKS5: "me:pw@1.2.3.4:9"}}
	m.XMRig.AccessToken, m.XMRig.Config = Value{}, nil
	var secrets []jsonPath
	show := maskJSON(append(secrets, jsonPath{"randomx", "note"}), m.plainAccounts()...)

	own := string(canonical(reveal(m.xmrigConfig(), nil, &secrets)))
	if got, want := show([]byte(own)), strings.Replace(own, "me:pw@", "(sensitive)@", 1); got != want {
		t.Errorf("the new text:\n got %s\nwant %s", got, want)
	}
	other := "8" + strings.Repeat("B", 94)
	for old, want := range map[string]string{
		`{"pools": [{"pass": "hunter2secret"}]}`:                  `{"pools": [{"pass": "(sensitive)"}]}`,
		`{"pools": [{"pass": "mini-1-production"}]}`:              `{"pools": [{"pass": "mini-1-production"}]}`,
		`{"pools": [{"pass": ["new"]}, {"pass": 1}]}`:             `{"pools": [{"pass": "(sensitive)"}, {"pass": "(sensitive)"}]}`,
		`{"pools": [{"pass": "` + other + `"}]}`:                  `{"pools": [{"pass": "(sensitive)"}]}`,
		`{"pools": [{"user": "login"}, {"user": "me"}]}`:          `{"pools": [{"user": "(sensitive)"}, {"user": "me"}]}`,
		`{"pools": [{"user": "` + other + `"}]}`:                  `{"pools": [{"user": "` + other + `"}]}`,
		`{"pools": [{"user": "` + other + `.pw"}]}`:               `{"pools": [{"user": "(sensitive)"}]}`,
		`{"pools": [{"socks5": "old:p@w@1.2.3.4:9"}]}`:            `{"pools": [{"socks5": "(sensitive)@1.2.3.4:9"}]}`,
		`{"pools": [{"socks5": "1.2.3.4:9"}]}`:                    `{"pools": [{"socks5": "1.2.3.4:9"}]}`,
		`{"pools": [{"url": "stratum+tcp://a:b@c:1"}]}`:           `{"pools": [{"url": "(sensitive)@c:1"}]}`,
		`{"Pools": [{"Pass": "a", "User": "b"}], "pass": "c"}`:    `{"Pools": [{"Pass": "(sensitive)", "User": "(sensitive)"}], "pass": "(sensitive)"}`,
		`{"x": {"Password": "a", "token": "b"}, "cpu": {"a": 1}}`: `{"x": {"Password": "(sensitive)", "token": "(sensitive)"}, "cpu": {"a": 1}}`,
	} {
		var tree any
		if err := json.Unmarshal([]byte(want), &tree); err != nil {
			t.Fatal(err)
		}
		if got, want := show([]byte(old)), string(canonical(tree)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", old, got, want)
		}
	}
}
