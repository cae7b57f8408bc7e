package executor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

func join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// A hostKeyCheck knows which keys a host may show.
type hostKeyCheck struct {
	endpoint   *endpoint
	algorithms []string
	db         *knownFiles // nil: the keys are pinned
	pinned     []ssh.PublicKey
}

// checkName is the host:port that known_hosts is asked for. It is the name
// that was resolved, never the address of a connection: behind a bastion there
// is none. An alias stands for the default port, as in OpenSSH.
func (e *endpoint) checkName() string {
	if e.alias != "" {
		return join(e.alias, 22)
	}
	return e.address()
}

func (d *Dialer) hostKeys(e *endpoint) (*hostKeyCheck, error) {
	check := &hostKeyCheck{endpoint: e}
	bad := func(err error) error {
		return &Error{Reason: BadConfig, Op: "host keys of " + e.name, Err: err}
	}
	var certs, plain []string
	if len(e.pinned) > 0 {
		for _, line := range e.pinned {
			key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
			if err != nil {
				return nil, bad(fmt.Errorf("host_key %q: %w", line, err))
			}
			check.pinned = append(check.pinned, key)
			plain = append(plain, algorithmsOf(key.Type())...)
		}
	} else {
		db, err := d.known.open(e.knownHosts)
		if err != nil {
			return nil, bad(err)
		}
		check.db = db
		for _, algorithm := range db.HostKeyAlgorithms(e.checkName()) {
			if strings.Contains(algorithm, "-cert-") {
				certs = append(certs, algorithm)
			} else {
				plain = append(plain, algorithm)
			}
		}
	}
	if len(plain) == 0 {
		plain = ownOrder()
	}
	for _, algorithm := range append(certs, plain...) {
		allowed := len(e.algorithms) == 0 || slices.Contains(e.algorithms, algorithm)
		if allowed && !slices.Contains(check.algorithms, algorithm) {
			check.algorithms = append(check.algorithms, algorithm)
		}
	}
	if len(check.algorithms) == 0 {
		return nil, bad(fmt.Errorf("HostKeyAlgorithms leaves none of %s", strings.Join(append(certs, plain...), ", ")))
	}
	return check, nil
}

// ownOrder is the order of algorithms for a host that is not known. Ed25519 comes
// first, because that is the key that people are asked to compare.
func ownOrder() []string {
	list := slices.DeleteFunc(ssh.SupportedAlgorithms().HostKeys, func(a string) bool {
		return strings.Contains(a, "-cert-") || a == ssh.KeyAlgoED25519
	})
	return append([]string{ssh.KeyAlgoED25519}, list...)
}

func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// verify is the ssh.HostKeyCallback.
func (c *hostKeyCheck) verify(_ string, _ net.Addr, key ssh.PublicKey) error {
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	fail := func(reason Reason, hint, format string, args ...any) error {
		return &Error{Reason: reason, Op: "verify host key of " + c.endpoint.address(), Err: fmt.Errorf(format, args...), Advice: hint}
	}
	if c.db == nil {
		for _, pin := range c.pinned {
			if bytes.Equal(pin.Marshal(), key.Marshal()) {
				return nil
			}
		}
		return fail(HostKeyChanged, "if the host was reinstalled, replace host_key in fleet.hcl",
			"%s is not the host_key of fleet.hcl; someone may be in between", shown)
	}
	err := c.db.HostKeyCallback()(c.endpoint.checkName(), &net.TCPAddr{IP: net.IPv4zero}, key)
	var revoked *xknownhosts.RevokedError
	if err == nil {
		return nil
	}
	if errors.As(err, &revoked) {
		return fail(HostKeyRevoked, "", "%s is revoked by %s", shown, c.db.place(revoked.Revoked))
	}
	for _, known := range c.db.HostKeys(c.endpoint.checkName()) {
		if !known.Cert {
			return c.changed(shown)
		}
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		return fail(HostKeyUnknown, c.authorityHint(cert, err), "%s: %w", shown, err)
	}
	return fail(HostKeyUnknown, c.hint(key), "unknown key %s", shown)
}

// changed reports a host that is known by other keys.
func (c *hostKeyCheck) changed(shown string) error {
	e := c.endpoint
	places := c.db.places(e.checkName())
	file, _, _ := strings.Cut(places[0], ":")
	return &Error{
		Reason: HostKeyChanged,
		Op:     "verify host key of " + e.address(),
		Err:    fmt.Errorf("%s is not the key in %s; someone may be in between", shown, strings.Join(places, ", ")),
		Advice: fmt.Sprintf("if the host was reinstalled: ssh-keygen -f %s -R '%s'", file, knownhosts.Normalize(e.checkName())),
	}
}

// authorityHint says how to make the authority of a certificate known, if that
// is what is wrong with it.
func (c *hostKeyCheck) authorityHint(cert *ssh.Certificate, err error) string {
	if !strings.Contains(err.Error(), "no authorities for hostname") {
		return "on the host, a new certificate for " + c.endpoint.host + "; ssh-keygen -Lf shows the old one"
	}
	return fmt.Sprintf("if this authority may speak for the host, add to %s:\n@cert-authority %s %s",
		c.endpoint.knownFile(), knownhosts.Normalize(c.endpoint.checkName()), keyLine(cert.SignatureKey))
}

// knownFile is the file to which hints say that a key is to be added.
func (e *endpoint) knownFile() string {
	if len(e.knownHosts) > 0 {
		return e.knownHosts[0]
	}
	return "~/.ssh/known_hosts"
}

// keyLine is a key as known_hosts has it.
func keyLine(key ssh.PublicKey) string {
	return key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// hint says how a person makes a key known.
func (c *hostKeyCheck) hint(key ssh.PublicKey) string {
	e := c.endpoint
	line, file := keyLine(key), e.knownFile()
	kind := strings.TrimPrefix(key.Type(), "ssh-")
	if strings.HasPrefix(kind, "ecdsa") {
		kind = "ecdsa"
	}
	return fmt.Sprintf(`compare it with "ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub" on the host, then add to %s:
%s
or to its host block in fleet.hcl:
host_key = %q`, kind, file, knownhosts.Normalize(e.checkName())+" "+line, line)
}

// knownHosts caches the known_hosts files, which are the same for most hosts.
type knownHosts struct {
	mu    sync.Mutex
	files map[string]*knownFiles
	dir   string // of the filtered copies; empty: none was needed
}

// knownFiles is a list of known_hosts files, read.
type knownFiles struct {
	*knownhosts.HostKeyDB
	names map[string]string // copy -> file
	err   error
	once  sync.Once
}

func (k *knownHosts) open(files []string) (*knownFiles, error) {
	id := strings.Join(files, "\n")
	k.mu.Lock()
	if k.files == nil {
		k.files = map[string]*knownFiles{}
	}
	db := k.files[id]
	if db == nil {
		db = &knownFiles{names: map[string]string{}}
		k.files[id] = db
	}
	k.mu.Unlock()
	db.once.Do(func() { db.err = k.read(db, files) })
	return db, db.err
}

// read skips lines that OpenSSH would skip, where the libraries refuse the
// whole file. Lines keep their numbers.
func (k *knownHosts) read(db *knownFiles, files []string) error {
	var paths []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		lines := strings.Split(string(text), "\n")
		whole := true
		for i, line := range lines {
			if !usable(line) {
				lines[i], whole = "", false
			}
		}
		if !whole {
			if file, err = k.copy(db, file, strings.Join(lines, "\n")); err != nil {
				return err
			}
		}
		paths = append(paths, file)
	}
	var err error
	db.HostKeyDB, err = knownhosts.NewDB(paths...)
	return err
}

func (k *knownHosts) copy(db *knownFiles, file, text string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dir == "" {
		dir, err := os.MkdirTemp("", "xmrfleet-known-")
		if err != nil {
			return "", err
		}
		k.dir = dir
	}
	f, err := os.CreateTemp(k.dir, "*-"+filepath.Base(file))
	if err != nil {
		return "", err
	}
	defer f.Close()
	db.names[f.Name()] = file
	_, err = f.WriteString(text)
	return f.Name(), err
}

func (k *knownHosts) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dir == "" {
		return nil
	}
	return os.RemoveAll(k.dir)
}

func (f *knownFiles) place(k xknownhosts.KnownKey) string {
	return fmt.Sprintf("%s:%d", or(f.names[k.Filename], k.Filename), k.Line)
}

// known returns the keys that host:port is known by.
func (f *knownFiles) known(address string) []xknownhosts.KnownKey {
	var keyErr *xknownhosts.KeyError
	err := f.HostKeyCallback()(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{})
	if errors.As(err, &keyErr) {
		return keyErr.Want
	}
	return nil
}

// places returns where host:port is known, as "file:line".
func (f *knownFiles) places(address string) []string {
	var list []string
	for _, k := range f.known(address) {
		list = append(list, f.place(k))
	}
	return list
}

// placeOf returns where that very key of host:port is known, or "".
func (f *knownFiles) placeOf(address string, key ssh.PublicKey) string {
	for _, k := range f.known(address) {
		if bytes.Equal(k.Key.Marshal(), key.Marshal()) {
			return f.place(k)
		}
	}
	return ""
}

// A noKey differs from the keys of all hosts, so that looking it up returns those
// that are known.
type noKey struct{ ssh.PublicKey }

func (noKey) Type() string    { return "none" }
func (noKey) Marshal() []byte { return nil }

// usable reports whether a line of known_hosts can be read.
func usable(line string) bool {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return true
	}
	marker, hosts, _, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil || len(line) > 60<<10 || marker != "" && marker != "cert-authority" && marker != "revoked" {
		return false
	}
	for _, host := range hosts {
		host = strings.TrimPrefix(host, "!")
		if strings.HasPrefix(host, "[") {
			if _, _, err := net.SplitHostPort(host); err != nil {
				return false
			}
		}
		if parts := strings.Split(host, "|"); strings.HasPrefix(host, "|") {
			if len(parts) != 4 || parts[1] != "1" || len(hosts) > 1 || !base64Text(parts[2]) || !base64Text(parts[3]) {
				return false
			}
		} else if host == "" && len(hosts) == 1 || strings.HasPrefix(host, "@") {
			return false
		}
	}
	return !slices.Contains(hosts, "!")
}

func base64Text(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil
}
