package daemon

import (
	"io"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"xmrfleet/modules/agent"
)

// The configuration file is read as XMRig reads it, and of its pools those that
// the miner would use.
func TestPayees(t *testing.T) {
	one, other := agent.Payee("pool.example:443", "48abc+10000"), agent.Payee("b:1", "")
	tests := []struct {
		name, file string
		want       []string // nil: the file cannot be read
	}{
		{"as written", `{"pools": [{"url": "pool.example:443", "user": "48abc+10000"}, {"url": "b:1", "user": null}]}`, []string{one, other}},
		{"by hand", "{ // a comment, with a \"\n \"pools\": [ /* more: } */ {\"url\": \"pool.example:443\", \"user\": \"48abc+10000\", },\n],}", []string{one}},
		{"a string like a comment", `{"x": "// \"/*", "pools": [{"url": "b:1"}]}`, []string{other}},
		{"not enabled", `{"pools": [{"url": "pool.example:443", "user": "48abc+10000", "enabled": false}, {"url": "b:1", "enabled": 0}]}`, []string{other}},
		{"no URL", `{"pools": [{"user": "48abc"}, {"url": 1}, {"URL": "b:1"}]}`, []string{}},
		{"no pool", `{}`, []string{}},
		{"no JSON", `{"pools": [`, nil},
		{"an open comment", `{} /*`, []string{}},
		{"too large", `{"x": "` + strings.Repeat("x", maxFile) + `"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.Write("config.json", tt.file)
			got := h.config(io.Discard).Payees()
			if got == nil || tt.want == nil {
				if got != nil || tt.want != nil {
					t.Errorf("got %+v, want %v", got, tt.want)
				}
				return
			}
			if !reflect.DeepEqual(got.Payees, tt.want) || len(got.SHA256) != 64 {
				t.Errorf("got %+v, want %v", got, tt.want)
			}
		})
	}
	h := newHost(t)
	if got := h.config(io.Discard).Payees(); got != nil {
		t.Errorf("without a file: %+v", got)
	}
	if err := syscall.Mkfifo(h.MinerConfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := h.config(io.Discard).Payees(); got != nil {
		t.Errorf("a pipe: %+v", got)
	}
	if err := os.Remove(h.MinerConfig()); err != nil {
		t.Fatal(err)
	}
}
