package modules

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xmrfleet/modules/golden"
)

// TestGolden compares every file of a typical miner with testdata/golden.
func TestGolden(t *testing.T) {
	got := map[string]string{}
	for _, r := range typical().Resources() {
		switch r := r.(type) {
		case File:
			got[filepath.Base(r.Path)] = string(r.Content)
			got[filepath.Base(r.Path)+".shown"] = r.Show(r.Content)
		case agentSettings:
			got[filepath.Base(r.Path)] = string(r.Content)
			got[filepath.Base(r.Path)+".shown"] = r.Show(r.Content)
		case Unit:
			got[r.Name] = r.Text
		case minerUnit:
			got[r.Name] = r.Text
		case agentUnit:
			got[r.Name] = r.Text
		case Journal:
			got[filepath.Base(r.file().Path)] = r.Text
		}
	}
	if len(got) != 7 {
		t.Errorf("%d files, want 7", len(got))
	}
	for name, text := range got {
		golden.Text(t, "testdata/golden/"+name, text)
	}
}

// TestPlainConfig looks at what is left out where nothing asks for it.
func TestPlainConfig(t *testing.T) {
	m := typical()
	m.Wallet = Plain("wallet")
	m.Pools = []Pool{{URL: "a:1"}}
	m.XMRig.Priority, m.XMRig.Config, m.XMRig.AccessToken = nil, nil, Value{}
	var secrets []jsonPath
	got := reveal(m.xmrigConfig(), nil, &secrets).(map[string]any)
	if secrets != nil {
		t.Errorf("secrets at %v", secrets)
	}
	for key, want := range map[string]string{
		"pools": `[{"keepalive":false,"nicehash":false,"pass":"mini-1-production","rig-id":"mini-1-production","tls":false,"url":"a:1","user":"wallet"}]`,
		"http":  `{"access-token":null,"enabled":true,"host":"127.0.0.1","port":8080,"restricted":true}`,
		"cpu":   `{"enabled":true,"huge-pages":true,"max-threads-hint":50}`,
	} {
		text, err := json.Marshal(got[key])
		if err != nil || string(text) != want {
			t.Errorf("%s:\n got %s\nwant %s", key, text, want)
		}
	}
}

func TestUnitText(t *testing.T) {
	m := typical()
	for _, test := range []struct {
		database, home, paths string
	}{
		{"", "ProtectHome=yes", ""},
		{"/mnt/rails-storage/production.sqlite3", "ProtectHome=yes", `ReadWritePaths=-"/mnt/rails-storage"`},
		{"/home/rails/db.sqlite3", "ProtectHome=no", `ReadWritePaths=-"/home/rails"`},
		{"/mnt/100% ours/db.sqlite3", "ProtectHome=yes", `ReadWritePaths=-"/mnt/100%% ours"`},
	} {
		m.Agent.Database = test.database
		unit, rev := m.agentUnit()
		want := "ReadWritePaths=-/run/xmrfleet\n" + test.home + "\n"
		if test.paths != "" {
			want += test.paths + "\n"
		}
		if !strings.Contains(unit.Text, want+"PrivateTmp=yes\n") {
			t.Errorf("%q: want %q in\n%s", test.database, want, unit.Text)
		}
		rev, _, _ = strings.Cut(rev, " ")
		if !strings.Contains(unit.Text, "echo unit "+rev+" ") {
			t.Errorf("%q: the unit does not record its revision %s", test.database, rev)
		}
	}
	for priority, want := range map[int]string{-1: "", 2: "", 3: "LimitNICE=-5\n", 4: "LimitNICE=-10\n", 5: "LimitNICE=-15\n"} {
		m.XMRig.Priority = &priority
		unit, _ := m.minerUnit()
		if got := strings.Contains(unit.Text, "LimitNICE="); got != (want != "") || !strings.Contains(unit.Text, "LogNamespace=xmrig\n"+want+"NoNewPrivileges=yes\n") {
			t.Errorf("priority %d: want %q in\n%s", priority, want, unit.Text)
		}
	}
}

// TestUnitsVerify has systemd itself read the units.
func TestUnitsVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip(err)
	}
	m := typical()
	m.Agent.Database = "/mnt/rails storage/100%.sqlite3"
	miner, _ := m.minerUnit()
	agent, _ := m.agentUnit()
	dir := t.TempDir()
	for _, u := range []Unit{miner, agent} {
		path := filepath.Join(dir, u.Name)
		text := strings.ReplaceAll(u.Text, "ExecStart=/usr/local/bin/xmrig", "ExecStart=/bin/echo /usr/local/bin/xmrig")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, u.Name) || strings.Contains(line, dir) {
				t.Errorf("%s: %s", u.Name, line)
			}
		}
		if err != nil {
			t.Logf("%s: %v: %s", u.Name, err, out)
		}
	}
}
