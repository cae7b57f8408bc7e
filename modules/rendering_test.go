package modules

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"xmrfleet/modules/golden"
)

// rendered is one line a file, in order.
func rendered(m Miner) string {
	var b strings.Builder
	for _, r := range Render(m.Resources()) {
		fmt.Fprintf(&b, "%s %s %s:%s", r.Path, r.Mode, r.Owner, r.Group)
		if r.Summary != "" {
			fmt.Fprintf(&b, " %s", r.Summary)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRender(t *testing.T) {
	agents := ", on amd64 of sha256 " + sum256([]byte("agent")) + ", on arm64 of sha256 " + sum256([]byte("agent"))
	const files = `/etc/systemd/journald@xmrig.conf 0644 root:root
/usr/local/lib/xmrfleet/SUM/xmrig 0755 root:root PROGRAM
/usr/local/bin/xmrig 0777 root:root a link to /usr/local/lib/xmrfleet/SUM/xmrig
/etc/xmrig/config.json 0640 root:xmrig
/etc/systemd/system/xmrig.service 0644 root:root
/usr/local/bin/xmrig-orchestrator 0755 root:root a programAGENTS
/etc/xmrig/orchestrator.json 0600 root:root
/etc/systemd/system/xmrig-orchestrator.service 0644 root:root
`
	for name, m := range map[string]Miner{
		"sum of the archive": typical(), "not opened yet": variants()["pull"], "found": variants()["existing"], "absent": variants()["absent"],
	} {
		sum, program := m.XMRig.BinarySHA256, "the member xmrig of https://example.org/xmrig.tar.gz"
		switch name {
		case "not opened yet":
			m.XMRig.BinarySHA256, sum = "", "SHA256"
		case "found":
			sum, program = "SHA256", "the program that is found on the host"
		}
		want := strings.NewReplacer("SUM", sum, "PROGRAM", program, "AGENTS", agents).Replace(files)
		if name == "absent" {
			want = ""
		}
		if got := rendered(m); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// Readers get what is written, but for the secrets.
func TestRenderedText(t *testing.T) {
	texts := 0
	for _, r := range Render(typical().Resources()) {
		if strings.Contains(r.Text, canary) {
			t.Errorf("%s shows a secret", r.Path)
		}
		if r.Text == "" {
			continue
		}
		texts++
		shown := "testdata/golden/" + path.Base(r.Path)
		if _, err := os.Stat(shown + ".shown"); err == nil {
			shown += ".shown"
		}
		golden.Text(t, shown, r.Text)
	}
	if texts != 5 {
		t.Errorf("%d texts, want 5", texts)
	}
}
