package modules

import (
	"strings"
	"testing"
)

// text is what a change comes to, for comparison as a whole.
func text(c Change, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	if c.Empty() {
		return ""
	}
	var b strings.Builder
	b.WriteString(string(c.Action))
	if c.Reason != "" {
		b.WriteString(": " + c.Reason)
	}
	for _, f := range c.Fields {
		b.WriteString(" [" + f.Name + ": " + f.Old + " -> " + f.New + "]")
	}
	if c.Before != "" || c.After != "" {
		b.WriteString(" {" + c.Before + "=>" + c.After + "}")
	}
	if c.Disruptive {
		b.WriteString(" disruptive")
	}
	for _, w := range c.Warnings {
		b.WriteString(" warning: " + w)
	}
	for _, step := range c.Steps {
		b.WriteString(" | " + stepNames[step.Script])
		for _, arg := range step.Args {
			if arg != "" {
				b.WriteString(" " + shortSums.Replace(arg))
			}
		}
		if step.Stdin != nil {
			b.WriteString(" < " + shortSums.Replace(step.Stdin.SHA256))
		}
	}
	return b.String()
}

var stepNames = map[string]string{
	writeFile: "write", setAttributes("", "", "", "").Script: "chmod", swapLink: "link", remove: "remove",
	createUser: "useradd", denyLogin: "usermod --shell", `usermod -g "$1" "$1"`: "usermod -g",
	`groupadd --system "$1"`: "groupadd", `userdel "$1"`: "userdel",
	`! getent group "$1" >/dev/null || groupdel "$1"`: "groupdel",
	`install -d -o "$2" -g "$3" -m "0$4" "$1"`:        "install",
	daemonReload.Script:                               "reload",
	pushIntoStore:                                     "push", copyIntoStore: "copy", pullIntoStore: "pull", moveIntoStore: "move",
	`rm -f "$1"`: "rm", `mv -fT "$1" "$2"`: "mv", `rm -rf --one-file-system "$1"`: "rm -rf",
}

// shortSums puts the names of these tests' contents in place of their sha256.
var shortSums = strings.NewReplacer(sum(current), "CURRENT", sum(previous), "PREVIOUS", sum(older), "OLDER",
	sum("new\n"), "NEW", minerStore, "STORE", minerBinary, "LINK")

type diffCase struct{ name, probed, want string }

func differences(t *testing.T, r Resource, facts Facts, cases []diffCase) {
	t.Helper()
	for _, test := range cases {
		got := text(r.Diff(test.probed, facts))
		for sum, name := range map[string]string{sum(current): "CURRENT", sum(previous): "PREVIOUS", sum(older): "OLDER", minerStore: "STORE", minerBinary: "LINK"} {
			got = strings.ReplaceAll(got, sum, name)
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestFileDiff(t *testing.T) {
	f := File{Path: "/etc/a", Owner: "root", Group: "xmrig", Mode: "0640", Content: []byte("new\n"), Show: Text}
	const write = " | write /etc/a root xmrig 0640 NEW < NEW"
	big := strings.Repeat("x", shownSize+1)
	differences(t, f, Facts{}, []diffCase{
		{"as it should be", "file 640 root xmrig 4 content\nnew\n", ""},
		{"new", "absent\n", "create [mode:  -> 0640] [owner:  -> root:xmrig] {=>new\n}" + write},
		{"content", "file 640 root xmrig 4 content\nold\n", "update {old\n=>new\n}" + write},
		{"content without a newline", "file 640 root xmrig 3 content\nnew", "update {new=>new\n}" + write},
		{"empty", "file 640 root xmrig 0 content\n", "update {=>new\n}" + write},
		{"mode", "file 4755 root xmrig 4 content\nnew\n",
			"update [mode: 4755 -> 0640] | chmod /etc/a root xmrig 0640"},
		{"owner", "file 640 UNKNOWN root 4 content\nnew\n",
			"update [owner: UNKNOWN:root -> root:xmrig] | chmod /etc/a root xmrig 0640"},
		{"everything", "file 0 root root 4 content\nold\n",
			"update [mode: 0000 -> 0640] [owner: root:root -> root:xmrig] {old\n=>new\n}" + write},
		{"too long to be read", "file 640 root xmrig 65537 sha256\n" + sum(big) + "  -\n",
			"update: content differs (not shown)" + write},
		{"a link", "link\n/etc/b\n", "update [type: link to /etc/b -> file] {=>new\n}" + write},
		{"a directory", "directory 755 root root\n", "error: /etc/a: a directory is in its place; move it away"},
		{"a socket", "other\n", "error: /etc/a: a other is in its place; move it away"},
		{"nothing", "", `error: read file /etc/a: unexpected answer ""`},
		{"noise", "stat: cannot stat '/etc/a'\n", `error: read file /etc/a: unexpected answer "stat: cannot stat '/etc/a'"`},
	})

	f.Show = nil
	differences(t, f, Facts{}, []diffCase{
		{"not shown, new", "absent\n", "create [mode:  -> 0640] [owner:  -> root:xmrig]" + write},
		{"not shown, content", "file 640 root xmrig 4 sha256\n" + sum("old\n") + "  -\n",
			"update: content differs (not shown)" + write},
		{"not shown, as it should be", "file 640 root xmrig 4 sha256\n" + sum("new\n") + "  -\n", ""},
	})
}

func TestDirectoryDiff(t *testing.T) {
	d := Directory{Path: "/etc/a", Owner: "root", Group: "root", Mode: "0755"}
	differences(t, d, Facts{}, []diffCase{
		{"as it should be", "directory 755 root root\n", ""},
		{"new", "absent\n", "create [mode:  -> 0755] [owner:  -> root:root] | install /etc/a root root 0755"},
		{"mode and owner", "directory 2700 a b\n",
			"update [mode: 2700 -> 0755] [owner: a:b -> root:root] | chmod /etc/a root root 0755"},
		{"a file", "file 644 root root 4 sha256\n" + sum("new\n") + "  -\n", "error: /etc/a: a file is in its place; move it away"},
		{"a link", "link\n/srv/a\n", "error: /etc/a: a link is in its place; move it away"},
	})
}

func TestSymlinkDiff(t *testing.T) {
	differences(t, Symlink{Path: "/a", Target: "/b"}, Facts{}, []diffCase{
		{"as it should be", "link\n/b\n", ""},
		{"new", "absent\n", "create [target:  -> /b] | link /a /b"},
		{"target", "link\n/c\n", "update [target: /c -> /b] | link /a /b"},
		{"a file", "file 644 root root 4 sha256\n" + sum("new\n") + "  -\n", "update [type: file -> link to /b] | link /a /b"},
		{"a directory", "directory 755 root root\n", "error: /a: a directory is in its place; move it away"},
	})
}

func TestAbsentDiff(t *testing.T) {
	differences(t, Absent{Path: "/etc/a/b", EmptyParent: true}, Facts{}, []diffCase{
		{"as it should be", "absent\n", ""},
		{"file", "file 644 root root 4 sha256\n" + sum("new\n") + "  -\n", "delete | remove /etc/a/b yes"},
		{"link", "link\n/c\n", "delete [it is a: link -> ] | remove /etc/a/b yes"},
		{"directory", "directory 755 root root\n", "delete [it is a: directory -> ] | remove /etc/a/b yes"},
		{"socket", "other\n", "delete [it is a: other -> ] | remove /etc/a/b yes"},
		{"parent", "absent\nempty parent\n", "delete: only its empty directory is left | remove /etc/a/b yes"},
	})
	differences(t, Absent{Kind: "drop-ins", Path: "/etc/a.d"}, Facts{}, []diffCase{
		{"as expected", "directory 755 root root\n", "delete | remove /etc/a.d no"},
		{"something else", "file 644 root root 4 sha256\n" + sum("new\n") + "  -\n", "delete [it is a: file -> ] | remove /etc/a.d no"},
	})
	for want, a := range map[string]Absent{
		"file /etc/a":           {Path: "/etc/a"},
		"unit a.service":        {Kind: "unit", Path: "/etc/systemd/system/a.service"},
		"directory /var/lib/a":  {Kind: "directory", Path: "/var/lib/a"},
		"executable /usr/bin/a": {Kind: "executable", Path: "/usr/bin/a"},
		"drop-ins /etc/a.d":     {Kind: "drop-ins", Path: "/etc/a.d"},
	} {
		if got := a.ID(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	differences(t, Absent{Path: "/etc/a", Unit: true}, Facts{}, []diffCase{
		{"unit", "link\n/dev/null\n", "delete [it is a: link -> ] | remove /etc/a no | reload"},
	})
}

func TestUserDiff(t *testing.T) {
	const nologin = "passwd\nxmrig:x:990:990::/nonexistent:/usr/sbin/nologin\n"
	const group = "group\nxmrig:x:990:\n"
	differences(t, User{Name: "xmrig"}, Facts{}, []diffCase{
		{"as it should be", group + nologin, ""},
		{"no login by other means", group + "passwd\nxmrig:x:990:990::/:/bin/false\n", ""},
		{"new", "group\npasswd\n",
			"create [group:  -> xmrig] [user:  -> xmrig (system, no home, no login)] | groupadd xmrig | useradd xmrig"},
		{"group there", group + "passwd\n", "create [user:  -> xmrig (system, no home, no login)] | useradd xmrig"},
		{"group missing", "group\n" + nologin,
			"update [group:  -> xmrig] [group: gid 990 -> xmrig] | groupadd xmrig | usermod -g xmrig"},
		{"other group", group + "passwd\nxmrig:x:990:100::/:/usr/sbin/nologin\n",
			"update [group: gid 100 -> xmrig] | usermod -g xmrig"},
		{"a login", group + "passwd\nxmrig:x:990:990::/:/bin/bash\n",
			"update [shell: /bin/bash -> no login] | usermod --shell xmrig"},
		{"the default shell", group + "passwd\nxmrig:x:990:990::/:\n",
			"update [shell:  -> no login] | usermod --shell xmrig"},
		{"a person", group + "passwd\nxmrig:x:1001:990::/home/xmrig:/bin/bash\n",
			"error: user xmrig: uid 1001 has the login shell /bin/bash; an account of a person does not run the miner, rename it"},
		{"a person with the default shell", group + "passwd\nxmrig:x:1001:990::/home/xmrig:\n",
			"error: user xmrig: uid 1001 has the login shell /bin/sh; an account of a person does not run the miner, rename it"},
		{"root by another name", group + "passwd\nxmrig:x:0:990::/:/bin/sh\n",
			"error: user xmrig: has uid 0; a miner does not run as root"},
		{"no login above the system's uids", group + "passwd\nxmrig:x:1001:990::/:/bin/false\n", ""},
		{"noise", group + "passwd\nxmrig:x\n", "error: read user xmrig: unexpected answer of getent"},
	})
	differences(t, User{Name: "xmrig", Absent: true}, Facts{}, []diffCase{
		{"as it should be", "group\npasswd\n", ""},
		{"both", group + nologin, "delete [user: xmrig -> ] [group: xmrig -> ] | userdel xmrig | groupdel xmrig"},
		{"group", group + "passwd\n", "delete [group: xmrig -> ] | groupdel xmrig"},
		{"user", "group\n" + nologin, "delete [user: xmrig -> ] | userdel xmrig"},
		{"a person", group + "passwd\nxmrig:x:1001:990::/home/xmrig:/bin/bash\n",
			"error: user xmrig: uid 1001 has the login shell /bin/bash; an account of a person does not run the miner, rename it"},
		{"a person with the default shell", group + "passwd\nxmrig:x:1001:990::/home/xmrig:\n",
			"error: user xmrig: uid 1001 has the login shell /bin/sh; an account of a person does not run the miner, rename it"},
		{"root by another name", group + "passwd\nxmrig:x:0:990::/:/bin/sh\n",
			"error: user xmrig: has uid 0; a miner does not run as root"},
	})
	for name, want := range map[string]string{
		"xmrig": "", "_x-1": "", "root": `user name "root" is not possible`, "-x": `user name "-x" is not possible`,
		"a b": `user name "a b" is not possible`, "": `user name "" is not possible`,
	} {
		got := ""
		if err := (User{Name: name}).Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		resource Resource
		want     string
	}{
		{File{Path: "/a", Owner: "a", Group: "b", Mode: "0644"}, ""},
		{File{Path: "a", Owner: "a", Group: "b", Mode: "644"},
			"path \"a\": want an absolute path in its shortest form\nmode \"644\": want four octal digits"},
		{File{Path: "/a/../b", Owner: "a", Mode: "0849"},
			"path \"/a/../b\": want an absolute path in its shortest form\nowner and group must be named\nmode \"0849\": want four octal digits"},
		{Symlink{Path: "/a\n", Target: "/b"}, `path "/a\n": want an absolute path in its shortest form`},
		{Absent{Path: "/a/"}, `path "/a/": want an absolute path in its shortest form`},
		{Service{Unit: "a.timer"}, `unit "a.timer": want a name that ends in .service`},
		{Service{Unit: "a.service", Running: true}, "unit a.service: a running service needs a record"},
		{Binary{Name: "a", Link: "/a", Store: "/b", Install: InstallPush}, `sha256 "" of the binary: want 64 hex digits`},
		{Binary{Name: "a", Link: "/a", Store: "/b", Install: InstallExisting}, ""},
		{Binary{Name: "a", Link: "/a", Store: "/b", Install: InstallPull, SHA256: sum(current)},
			"install by pull: want the archive's URL and sha256"},
		{Binary{Name: "a", Link: "/a", Store: "/b", Absent: true}, ""},
	} {
		got := ""
		if err := test.resource.Validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v:\n got %q\nwant %q", test.resource, got, test.want)
		}
	}
}

// TestVersions compares what is installed by bytes, and says it in versions.
func TestVersions(t *testing.T) {
	labelled := push()
	labelled.Version = "6.26.0"
	const dirs = " no 755 root root 755 root root 755 root root"
	old := "link " + stored(previous) + "\nstore " + sum(previous) + " " + sum(previous) + dirs
	const steps = " | push STORE/CURRENT/xmrig CURRENT 6.26.0 < CURRENT | link LINK STORE/CURRENT/xmrig"
	const target = "[target: STORE/PREVIOUS/xmrig -> STORE/CURRENT/xmrig]"
	differences(t, labelled, Facts{Arch: "x86_64"}, []diffCase{
		{"new", "absent\n", "create [version:  -> 6.26.0] [target:  -> STORE/CURRENT/xmrig]" + steps},
		{"upgrade", old + " version 6.25.0\n", "update [version: 6.25.0 -> 6.26.0] " + target + steps},
		{"from one that is not known", old + "\n", "update [version: unknown -> 6.26.0] " + target + steps},
		{"other bytes of the same version", old + " version 6.26.0\n", "update " + target + steps},
	})

	agent := Executable{Path: "/a", Builds: map[string]*Blob{"amd64": NewBlob([]byte("new\n"))}, Version: "1.10.0"}
	const update = "update: content differs (not shown)"
	const write = " | write /a root root 0755 NEW < NEW"
	probed := func(version string) string { return "file 755 root root 9 sha256\n" + sum(older) + "  -\n" + version }
	cases := []diffCase{
		{"as it should be", "file 755 root root 4 sha256\n" + sum("new\n") + "  -\n", ""},
		{"its mode", "file 777 root root 4 sha256\n" + sum("new\n") + "  -\n", "update [mode: 0777 -> 0755] | chmod /a root root 0755"},
		{"new", "absent\n", "create [mode:  -> 0755] [owner:  -> root:root] [version:  -> 1.10.0]" + write},
		{"no agent of ours", probed(""), update + " [version:  -> 1.10.0]" + write},
		{"upgrade", probed("version=xmrig-orchestrator 1.9.9\n"), update + " [version: 1.9.9 -> 1.10.0]" + write},
		{"another build", probed("version=xmrig-orchestrator 1.10.0\n"), update + " [version: 1.10.0 -> 1.10.0 (another build)]" + write},
		{"of no number", probed("version=xmrig-orchestrator dev\n"), update + " [version: dev -> 1.10.0]" + write},
	}
	differences(t, agent, Facts{Arch: "x86_64"}, append(cases,
		diffCase{"downgrade", probed("version=xmrig-orchestrator 1.11.0\n"),
			"error: executable /a: version 1.11.0 -> 1.10.0 (older): the host was given a newer one than this xmrfleet has"}))
	agent.AllowOlder = true
	differences(t, agent, Facts{Arch: "x86_64"}, append(cases,
		diffCase{"downgrade", probed("version=xmrig-orchestrator 1.11.0\n"), update + " [version: 1.11.0 -> 1.10.0 (older)]" + write}))
}

func TestBinaryDiff(t *testing.T) {
	const (
		toStore = " | link LINK STORE/CURRENT/xmrig"
		pushed  = " | push STORE/CURRENT/xmrig CURRENT < CURRENT"
	)
	const dirs = " 755 root root 755 root root"
	entry := func(content, actual, adopted string) string {
		return "store " + sum(content) + " " + sum(actual) + " " + adopted + dirs + " 755 root root\n"
	}
	here := entry(current, current, "no")
	link := func(content string) string { return "link " + stored(content) + "\n" }
	found := func(x ...FoundBinary) Facts { return Facts{Arch: "x86_64", XMRigs: x} }
	inOpt := FoundBinary{"/opt/xmrig/xmrig", "/opt/xmrig/xmrig", sum(current), true, ""}
	inHome := FoundBinary{"/home/a/xmrig", "/home/a/xmrig", sum(current), true, ""}
	loose := FoundBinary{"/opt/a/xmrig", "/opt/a/xmrig", sum(current), false, ""}
	other := FoundBinary{"/usr/bin/xmrig", "/usr/bin/xmrig", sum(previous), true, ""}

	differences(t, push(), found(other), []diffCase{
		{"as it should be", link(current) + here, ""},
		{"new", "absent\n", "create [target:  -> STORE/CURRENT/xmrig]" + pushed + toStore},
		{"other version", link(previous) + entry(previous, previous, "no"),
			"update [target: STORE/PREVIOUS/xmrig -> STORE/CURRENT/xmrig]" + pushed + toStore},
		{"back", link(previous) + entry(previous, previous, "no") + here,
			"update [target: STORE/PREVIOUS/xmrig -> STORE/CURRENT/xmrig]" + toStore},
		{"third version", link(previous) + entry(older, older, "no") + entry(previous, previous, "no"),
			"update [target: STORE/PREVIOUS/xmrig -> STORE/CURRENT/xmrig] [old binary: OLDER -> ]" + pushed + toStore + " | rm -rf STORE/OLDER"},
		{"one too many", link(current) + entry(previous, previous, "no") + entry(older, older, "no") + here,
			"update [old binary: OLDER -> ] | rm -rf STORE/OLDER"},
		{"an adopted one too many", link(current) + entry(previous, previous, "no") + entry(older, older, "yes") + here, ""},
		{"a killed upload and the previous", link(current) + "store " + sum(older) + " none no" + dirs + "\n" + entry(previous, previous, "no") + here,
			"update [old binary: OLDER -> ] | rm -rf STORE/OLDER"},
		{"other content in the store", link(current) + entry(current, older, "no"),
			"update: the installed file is not what it was" + pushed},
		{"other mode in the store", link(current) + strings.Replace(here, "755 root root\n", "775 root root\n", 1),
			"update: the installed file is not what it was | copy STORE/CURRENT/xmrig STORE/CURRENT/xmrig CURRENT"},
		{"other owner in the store", link(current) + strings.Replace(here, "root root\n", "xmrig root\n", 1),
			"update: the installed file is not what it was | copy STORE/CURRENT/xmrig STORE/CURRENT/xmrig CURRENT"},
		{"directories for everyone", link(current) + strings.Replace(here, dirs, " 777 root root 755 xmrig root", 1),
			"update [directory STORE: 0777 root:root -> 0755 root:root] [directory STORE/CURRENT: 0755 xmrig:root -> 0755 root:root] | chmod STORE root root 0755 | chmod STORE/CURRENT root root 0755"},
		{"dangling link", link(current), "update: the installed file is not what it was" + pushed},
		{"link elsewhere", "link /usr/bin/xmrig\n",
			"update [target: /usr/bin/xmrig -> STORE/CURRENT/xmrig]" + pushed + toStore},
		{"another file in its place", "file " + sum(previous) + "\n",
			"update [sha256: PREVIOUS -> CURRENT] [type: file -> link to STORE/CURRENT/xmrig] | move LINK STORE xmrig PREVIOUS no" + pushed + toStore},
		{"the right file in its place", "file " + sum(current) + "\n",
			"update [type: file -> link to STORE/CURRENT/xmrig] | move LINK STORE xmrig CURRENT yes" + toStore},
		{"a directory in its place", "other\n", "error: LINK: neither file nor link is in its place; move it away"},
		{"noise", "sh: not found\n", `error: read binary xmrig: unexpected answer "sh: not found"`},
		{"noise behind", "absent\nsh: not found\n", `error: read binary xmrig: unexpected answer "sh: not found\n"`},
	})
	for name, test := range map[string]struct {
		facts Facts
		cases []diffCase
	}{
		"found": {found(other, inOpt), []diffCase{
			{"linked", "absent\n", "create [target:  -> /opt/xmrig/xmrig] | link LINK /opt/xmrig/xmrig"},
			{"is linked", "link /opt/xmrig/xmrig\n", ""},
			{"is in the store", link(current) + here, ""},
		}},
		"in home": {found(inHome), []diffCase{
			{"copied", "link /home/a/xmrig\n", "update [target: /home/a/xmrig -> STORE/CURRENT/xmrig] | copy STORE/CURRENT/xmrig /home/a/xmrig CURRENT" + toStore},
		}},
		"loose": {found(loose), []diffCase{
			{"copied", "absent\n", "create [target:  -> STORE/CURRENT/xmrig] | copy STORE/CURRENT/xmrig /opt/a/xmrig CURRENT" + toStore},
		}},
	} {
		t.Run(name, func(t *testing.T) { differences(t, push(), test.facts, test.cases) })
	}

	wrongArch := push()
	wrongArch.Arch = "arm64"
	differences(t, wrongArch, found(), []diffCase{
		{"other architecture", "absent\n", "error: the xmrig of the archive is built for arm64, the host is x86_64; give it a source of its own"},
	})

	byURL := pull(nil)
	byURL.ArchiveSHA256 = sum(older)
	differences(t, byURL, found(), []diffCase{
		{"pull", "absent\n", "create [target:  -> STORE/CURRENT/xmrig] | pull STORE/CURRENT/xmrig https://example.org/xmrig.tar.gz OLDER CURRENT" + toStore},
	})

	differences(t, existing(), found(other, inOpt), []diffCase{
		{"the first one", "absent\n", "create [target:  -> /usr/bin/xmrig] | link LINK /usr/bin/xmrig"},
	})
	named := existing()
	named.SHA256 = sum(current)
	differences(t, named, found(other, inOpt), []diffCase{
		{"the named one", "absent\n", "create [target:  -> /opt/xmrig/xmrig] | link LINK /opt/xmrig/xmrig"},
	})
	differences(t, named, found(other), []diffCase{
		{"none", "absent\n", `error: install = "existing": no such xmrig on the host (PATH, /usr/local/bin, /usr/bin, /opt, /home)`},
	})
	differences(t, existing(), found(FoundBinary{minerBinary, stored(current), sum(current), true, ""}), []diffCase{
		{"the store's own, damaged", link(current) + entry(current, older, "no"),
			`error: install = "existing": ` + "STORE/CURRENT/xmrig is damaged, and the host has no other; put one there or choose another install"},
	})

	differences(t, removed(push()), found(), []diffCase{
		{"as it should be", "absent\n", ""},
		{"a file of somebody else", "file " + sum(older) + "\n", ""},
		{"link and store", link(current) + here,
			"delete [link: STORE/CURRENT/xmrig -> ] [stored binary: STORE/CURRENT -> ] | rm LINK | remove STORE/CURRENT yes"},
		{"adopted", link(current) + entry(current, current, "yes"),
			"delete [adopted binary: STORE/CURRENT/xmrig -> LINK] [stored binary: STORE/CURRENT -> ] | mv STORE/CURRENT/xmrig LINK | remove STORE/CURRENT yes"},
		{"adopted, another runs", link(current) + here + entry(previous, previous, "yes"),
			"delete [adopted binary: STORE/PREVIOUS/xmrig -> LINK] [stored binary: STORE/CURRENT -> ] [stored binary: STORE/PREVIOUS -> ] | mv STORE/PREVIOUS/xmrig LINK | remove STORE/CURRENT yes | remove STORE/PREVIOUS yes"},
		{"two adopted", link(current) + entry(previous, previous, "yes") + entry(current, current, "yes"),
			"delete [adopted binary: STORE/CURRENT/xmrig -> LINK] [stored binary: STORE/CURRENT -> ] | mv STORE/CURRENT/xmrig LINK | remove STORE/CURRENT yes"},
		{"two adopted, another runs", link(older) + entry(previous, previous, "yes") + entry(current, current, "yes"),
			"delete [link: STORE/OLDER/xmrig -> ] | rm LINK"},
		{"adopted, and a file of somebody else", "file " + sum(older) + "\n" + entry(current, current, "yes") + entry(previous, previous, "no"),
			"delete [stored binary: STORE/PREVIOUS -> ] | remove STORE/PREVIOUS yes"},
		{"adopted, cut off after the link", "absent\n" + entry(current, current, "yes"),
			"delete [adopted binary: STORE/CURRENT/xmrig -> LINK] [stored binary: STORE/CURRENT -> ] | mv STORE/CURRENT/xmrig LINK | remove STORE/CURRENT yes"},
		{"adopted, cut off after the move", "file " + sum(current) + "\nstore " + sum(current) + " none yes" + dirs + "\n",
			"delete [stored binary: STORE/CURRENT -> ] | remove STORE/CURRENT yes"},
	})
}
