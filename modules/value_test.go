package modules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	secret := Secret(canary)
	nested := struct {
		Value  Value
		List   []Value
		Map    map[string]any
		Nested *Pool
	}{secret, []Value{secret}, map[string]any{"key": secret}, &Pool{User: secret}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%e", "%10.2d", "%!"} {
		for _, v := range []any{secret, &secret, nested, []any{secret}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
	got, err := json.Marshal(nested)
	if err != nil || strings.Contains(string(got), canary) {
		t.Errorf("JSON: %s, %v", got, err)
	}

	for format, want := range map[string]string{
		"%v": "(sensitive)", "%s": "(sensitive)", "%q": `"(sensitive)"`, "%#v": `"(sensitive)"`, "%14s": "   (sensitive)",
	} {
		if got := fmt.Sprintf(format, secret); got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
	plain := Plain("text")
	if got := fmt.Sprintf("%v %q", plain, plain); got != `text "text"` {
		t.Errorf("plain: %s", got)
	}
	if secret.Reveal() != canary || !secret.IsSecret() || plain.IsSecret() || !(Value{}).IsEmpty() || plain.IsEmpty() {
		t.Error("a value is not what it was made from")
	}
}
