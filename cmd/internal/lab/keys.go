package lab

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keys are an ed25519 pair in OpenSSH's file formats.
type keys struct {
	private []byte
	public  []byte // "ssh-ed25519 AAAA...\n"
}

func newKeys() (keys, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keys{}, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return keys{}, err
	}
	return parseKeys(pem.EncodeToMemory(block))
}

func readKeys(path string) (keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return keys{}, err
	}
	return parseKeys(text)
}

func parseKeys(private []byte) (keys, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return keys{}, err
	}
	return keys{private, ssh.MarshalAuthorizedKey(signer.PublicKey())}, nil
}

func (k keys) write(path string) error {
	if err := os.WriteFile(path, k.private, 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".pub", k.public, 0o644)
}

// writeClientFiles gives a client all that it needs to reach the hosts.
func (l *Lab) writeClientFiles() error {
	identity := filepath.Join(l.Dir(), "id_ed25519")
	knownHosts := filepath.Join(l.Dir(), "known_hosts")
	var config, known strings.Builder
	for _, h := range l.Hosts {
		fmt.Fprintf(&known, "%s,%s %s", h.Name, h.Address(), h.key.public)
		fmt.Fprintf(&config, "Host %s\n\tHostName %s\n", h.Name, h.Address())
	}
	fmt.Fprintf(&config, `Host *
	User %s
	IdentityFile %s
	IdentitiesOnly yes
	UserKnownHostsFile %s
	GlobalKnownHostsFile none
	StrictHostKeyChecking yes
	UpdateHostKeys no
`, User, identity, knownHosts)
	if err := l.keys.write(identity); err != nil {
		return err
	}
	if err := os.WriteFile(knownHosts, []byte(known.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(l.SSHConfig(), []byte(config.String()), 0o644)
}
