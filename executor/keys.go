package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// An offer is a key that may be shown to a host.
type offer struct {
	ssh.AlgorithmSigner
	from string // file or agent, for people
}

// offers are the keys for one endpoint, and the files that give none.
type offers struct {
	list   []offer
	locked []string // files that need a passphrase
	broken []string // files that are no keys, and why
}

// offers lists the keys for e in the order of OpenSSH: those of the identity
// files, each first as the agent has it, then what else the agent has.
// Each wrong key costs a round trip, and hosts allow six. The keys of an agent
// are for use within ctx.
func (d *Dialer) offers(ctx context.Context, e *endpoint) *offers {
	o := &offers{}
	held := d.sshAgentKeys(ctx, e.agentSocket)
	var certs []*ssh.Certificate
	for _, file := range e.certificates {
		cert, err := readCertificate(file)
		if err != nil {
			d.Log.Warn("CertificateFile "+file+": "+err.Error(), "host", e.name)
			continue
		}
		certs = append(certs, cert)
	}
	for _, file := range e.identities {
		o.identity(file, held, certs)
	}
	for _, key := range held {
		if !e.onlyThese {
			o.add(key)
		}
	}
	return o
}

func (o *offers) add(key offer) {
	blob := key.PublicKey().Marshal()
	if !slices.ContainsFunc(o.list, func(have offer) bool { return bytes.Equal(have.PublicKey().Marshal(), blob) }) {
		o.list = append(o.list, key)
	}
}

// identity adds the key of an IdentityFile. As for ssh, a file that is not
// there or cannot be read is no error: another key may do.
func (o *offers) identity(file string, held []offer, certs []*ssh.Certificate) {
	signer, public, err := readKey(file)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		o.broken = append(o.broken, file+": "+err.Error())
		return
	}
	inAgent := false
	for _, key := range held {
		if bytes.Equal(certified(key.PublicKey()).Marshal(), public.Marshal()) {
			o.add(key)
			inAgent = true
			if !strings.Contains(key.PublicKey().Type(), "-cert-") {
				signer = key.AlgorithmSigner
			}
		}
	}
	if signer == nil && !inAgent {
		o.locked = append(o.locked, file)
	}
	if signer == nil {
		return
	}
	if cert, err := readCertificate(file + "-cert.pub"); err == nil {
		certs = append(certs, cert)
	}
	for _, cert := range certs {
		if bytes.Equal(cert.Key.Marshal(), public.Marshal()) {
			with, err := ssh.NewCertSigner(cert, signer)
			if err != nil {
				o.broken = append(o.broken, "certificate of "+file+": "+err.Error())
				continue
			}
			o.add(offer{with.(ssh.AlgorithmSigner), file + " (certificate)"})
		}
	}
	o.add(offer{signer, file})
}

// readKey reads a private key, or a public one whose private half the agent
// has. The signer is nil where a passphrase is needed.
func readKey(file string) (ssh.AlgorithmSigner, ssh.PublicKey, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		public, err := readPublic(file + ".pub")
		return nil, public, err
	}
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err == nil {
		return signer.(ssh.AlgorithmSigner), signer.PublicKey(), nil
	}
	var missing *ssh.PassphraseMissingError
	encrypted := errors.As(err, &missing)
	if encrypted && missing.PublicKey != nil {
		return nil, missing.PublicKey, nil
	}
	for _, file := range []string{file + ".pub", file} {
		if public, err := readPublic(file); err == nil {
			return nil, public, nil
		}
	}
	if encrypted {
		err = fmt.Errorf("it has a passphrase, and there is no %s.pub to find it in the agent by", file)
	}
	return nil, nil, err
}

func readPublic(file string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}

func readCertificate(file string) (*ssh.Certificate, error) {
	key, err := readPublic(file)
	if err != nil {
		return nil, err
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("not a certificate")
	}
	return cert, nil
}

// certified returns the key that a certificate is about, and any other key
// itself.
func certified(key ssh.PublicKey) ssh.PublicKey {
	if parsed, err := ssh.ParsePublicKey(key.Marshal()); err == nil {
		if cert, ok := parsed.(*ssh.Certificate); ok {
			return cert.Key
		}
	}
	return key
}

// signers returns the offers as the one list that x/crypto takes. The
// handshake is told which of them are tried and which one is accepted.
func (o *offers) signers(h *handshake) ssh.AuthMethod {
	return ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		list := make([]ssh.Signer, len(o.list))
		for i, key := range o.list {
			list[i] = notedSigner{key, i, h}
		}
		return list, nil
	})
}

// A notedSigner tells the handshake how far the library got with the offers: it
// asks for a public key in order to offer it, and for a signature when the host
// accepts the key.
type notedSigner struct {
	offer
	index     int
	handshake *handshake
}

func (s notedSigner) PublicKey() ssh.PublicKey {
	s.handshake.tried = max(s.handshake.tried, s.index+1)
	return s.offer.PublicKey()
}

func (s notedSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s.handshake.key = s.from
	defer s.handshake.pause()()
	return s.offer.SignWithAlgorithm(rand, data, algorithm)
}

// refused returns the error of a login for which the host accepted no key.
func (o *offers) refused(e *endpoint, err error) *Error {
	var from []string
	for _, key := range o.list {
		from = append(from, key.from)
	}
	out := &Error{Reason: AuthRefused, Op: fmt.Sprintf("log in as %s@%s", e.user, e.address()), Err: err}
	switch text := err.Error(); {
	case strings.Contains(text, "oo many authentication failures"):
		out.Err = fmt.Errorf("too many keys were offered (%s)", strings.Join(from, ", "))
		out.Advice = fmt.Sprintf("in ~/.ssh/config, for Host %s: IdentitiesOnly yes, and the IdentityFile that is right", e.name)
	case !strings.Contains(text, "unable to authenticate"):
	case len(from) > 0:
		out.Err = fmt.Errorf("no key was accepted (offered: %s)", strings.Join(from, ", "))
		out.Advice = fmt.Sprintf("ssh-copy-id -p %d %s@%s", e.port, e.user, e.host)
	case len(o.locked) == 0:
		out.Err = errors.New("there is no key to offer")
		out.Advice = "add one to the agent (ssh-add FILE), or name one: IdentityFile in the ssh configuration, identity_file in fleet.hcl"
	default:
		out.Err = errors.New("there is no key to offer without a passphrase")
	}
	if len(o.broken) > 0 {
		out.Err = fmt.Errorf("%w (%s)", out.Err, strings.Join(o.broken, ", "))
	}
	if len(o.locked) > 0 {
		out.Advice = "ssh-add " + strings.Join(o.locked, " ")
	}
	return out
}
