package executor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"xmrfleet/executor/sshtest"
)

func TestOffers(t *testing.T) {
	dir := t.TempDir()
	keys := agent.NewKeyring()
	path := func(name string) string { return filepath.Join(dir, name) }
	authority, _ := sshtest.NewKey(t)
	certificate := func(key ssh.Signer) []byte {
		cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
		if err := cert.SignCert(strings.NewReader(strings.Repeat("r", 100)), authority); err != nil {
			t.Fatal(err)
		}
		return ssh.MarshalAuthorizedKey(cert)
	}
	file := func(name string, text []byte) {
		if err := os.WriteFile(path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"plain", "certified", "held", "public", "other"} {
		signer, private := sshtest.NewKey(t)
		raw, err := ssh.ParseRawPrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "plain":
			file(name, private)
		case "certified":
			file(name, private)
			file(name+"-cert.pub", certificate(signer))
			file("extra.pub", certificate(signer))
		case "held": // in the file and in the agent
			file(name, private)
			keys.Add(agent.AddedKey{PrivateKey: raw, Comment: name})
		case "public": // only its public half is here
			file(name+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()))
			keys.Add(agent.AddedKey{PrivateKey: raw, Comment: name})
		case "other":
			keys.Add(agent.AddedKey{PrivateKey: raw, Comment: name})
		}
	}
	lockedKey, private := sshtest.NewKey(t)
	raw, _ := ssh.ParseRawPrivateKey(private)
	encrypt(t, raw, path("locked"))
	file("locked.pub", ssh.MarshalAuthorizedKey(lockedKey.PublicKey()))
	socket := serveSSHAgent(t, keys)

	for _, test := range []struct {
		name string
		e    endpoint
		want string
	}{
		{"files, then what else the agent has", endpoint{agentSocket: socket, identities: []string{"none", "plain", "public", "held"}},
			"plain, agent: public, agent: held, agent: other"},
		{"only these", endpoint{agentSocket: socket, onlyThese: true, identities: []string{"public", "plain", "plain"}}, "agent: public, plain"},
		{"certificates first", endpoint{identities: []string{"plain", "certified"}}, "plain, certified (certificate), certified"},
		{"certificate file", endpoint{certificates: []string{"extra.pub", "none.pub"}, identities: []string{"certified"}}, "certified (certificate), certified"},
		{"no agent", endpoint{identities: []string{"public", "locked"}}, " locked: public locked"},
		{"agent that is not there", endpoint{agentSocket: path("no socket"), identities: []string{"plain"}}, "plain"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, list := range [][]string{test.e.identities, test.e.certificates} {
				for i := range list {
					list[i] = path(list[i])
				}
			}
			d := &Dialer{}
			d.init()
			defer d.Close()
			o := d.offers(t.Context(), &test.e)
			var from []string
			for _, key := range o.list {
				from = append(from, key.from)
			}
			got := strings.Join(from, ", ")
			if len(o.locked) > 0 {
				got += " locked: " + strings.Join(o.locked, " ")
			}
			if got = strings.ReplaceAll(got, dir+"/", ""); got != test.want {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
	file("garbage", []byte("no key"))
	d := &Dialer{}
	d.init()
	o := d.offers(t.Context(), &endpoint{identities: []string{path("garbage")}})
	e := o.refused(&endpoint{user: "u", host: "h", port: 22}, errors.New("ssh: unable to authenticate"))
	if want := "log in as u@h:22: there is no key to offer (" + path("garbage") + ": ssh: no key found)"; e.Error() != want {
		t.Errorf("got %s, want %s", e, want)
	}
}
