package executor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xmrfleet/modules/printable"
)

// An endpoint is one sshd, and how to reach it: what ssh made of a Target. It
// does not change once it is resolved.
type endpoint struct {
	name         string // what was asked for
	host         string // name or address to connect to
	port         int
	user         string
	network      string // tcp, tcp4 or tcp6
	identities   []string
	certificates []string
	onlyThese    bool   // IdentitiesOnly
	agentSocket  string // of an ssh-agent; empty: none
	jump         string // the hops, as ProxyJump has them
	proxyCommand string
	alias        string // HostKeyAlias
	knownHosts   []string
	algorithms   []string // for host keys; empty: all that are supported
	pinned       []string
	controlPath  string // where an OpenSSH master may listen; empty: nowhere
	confirmed    bool   // such a master asks somebody about each session
	unchecked    bool   // ssh itself would not verify the host's key

	target Target // what it was resolved from
}

func (e *endpoint) address() string { return join(e.host, e.port) }

// A resolver asks the ssh program how it would reach a host: no other program
// reads Match, Include and tokens in the same way.
type resolver struct {
	once   sync.Once
	binary string // empty: there is none
	places chan struct{}
	me     *user.User
	err    error
}

func (r *resolver) init(d *Dialer) error {
	r.once.Do(func() {
		if r.me, r.err = user.Current(); r.err != nil {
			return
		}
		r.places = make(chan struct{}, 2*runtime.NumCPU())
		if r.binary, _ = exec.LookPath("ssh"); r.binary == "" && d.SSHConfig == "" {
			d.Log.Warn("no ssh program found: the ssh configuration is ignored, only fleet.hcl counts")
		}
	})
	return r.err
}

func (d *Dialer) resolve(ctx context.Context, t Target) (*endpoint, error) {
	bad := func(err error, hint string) error {
		return &Error{Reason: BadConfig, Op: "resolve " + t.Name, Err: err, Advice: hint}
	}
	if t.Name == "" || strings.HasPrefix(t.Name, "-") {
		return nil, bad(fmt.Errorf("%q is not a host name", t.Name), "")
	}
	if err := d.resolver.init(d); err != nil {
		return nil, bad(err, "")
	}
	if d.resolver.binary == "" {
		if none(d.SSHConfig) != "" {
			return nil, bad(fmt.Errorf("no ssh program found, which alone can read %s", d.SSHConfig), "install the OpenSSH client")
		}
		return d.plainEndpoint(t), nil
	}
	out, err := d.askSSH(ctx, d.SSHConfig, t)
	if ctx.Err() != nil {
		return nil, givenUp("resolve "+t.Name, context.Cause(ctx))
	}
	if err != nil {
		return nil, bad(err, strings.Join(append([]string{"ssh"}, sshArgs(d.SSHConfig, t)...), " "))
	}
	e, err := d.parseConfig(t, out)
	if err != nil {
		return nil, bad(err, "")
	}
	d.Log.Debug("resolved", "host", t.Name, "address", e.address(), "user", e.user,
		"jump", e.jump, "proxycommand", e.proxyCommand, "identities", e.identities)
	return e, nil
}

// askSSH returns what ssh -G prints: one "keyword value" a line.
func (d *Dialer) askSSH(ctx context.Context, config string, t Target) ([]byte, error) {
	release, err := acquire(ctx, d.resolver.places)
	if err != nil {
		return nil, err
	}
	defer release()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, d.resolver.binary, sshArgs(config, t)...)
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second // for a program that ssh started and that outlives it
	out, err := cmd.Output()
	if text := printable.Line(stderr.String()); err != nil && text != "" {
		err = errors.New(text)
	}
	return out, err
}

// sshArgs are the arguments of ssh -G for t.
func sshArgs(config string, t Target) []string {
	args := []string{"-G"}
	flag := func(value string, flags ...string) {
		if value != "" {
			args = append(args, append(flags[:len(flags)-1], flags[len(flags)-1]+value)...)
		}
	}
	flag(config, "-F", "")
	flag(t.Address, "-o", "HostName=")
	flag(t.User, "-l", "")
	if t.Port != 0 {
		args = append(args, "-p", strconv.Itoa(t.Port))
	}
	flag(t.IdentityFile, "-o", "IdentityFile=")
	flag(t.ProxyJump, "-o", "ProxyJump=")
	return append(args, "--", t.Name)
}

// plainEndpoint resolves t without an ssh program, by the defaults of ssh.
func (d *Dialer) plainEndpoint(t Target) *endpoint {
	home := filepath.Join(d.resolver.me.HomeDir, ".ssh")
	e := &endpoint{
		name: t.Name, host: or(t.Address, t.Name), port: or(t.Port, 22), network: "tcp",
		user: or(t.User, d.resolver.me.Username), jump: t.ProxyJump, pinned: t.HostKeys, target: t,
		agentSocket: os.Getenv("SSH_AUTH_SOCK"),
		knownHosts:  []string{filepath.Join(home, "known_hosts"), "/etc/ssh/ssh_known_hosts"},
		identities:  []string{filepath.Join(home, "id_ed25519"), filepath.Join(home, "id_ecdsa"), filepath.Join(home, "id_rsa")},
	}
	if t.IdentityFile != "" {
		e.identities = []string{d.tilde(t.IdentityFile)}
	}
	if e.jump == "none" {
		e.jump = ""
	}
	return e
}

// parseConfig reads what askSSH returned.
func (d *Dialer) parseConfig(t Target, out []byte) (*endpoint, error) {
	e := &endpoint{name: t.Name, network: "tcp", agentSocket: os.Getenv("SSH_AUTH_SOCK"), pinned: t.HostKeys, target: t}
	var err error
	var expand []*string       // values with tokens, which need the others
	var users, global []string // known_hosts files
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "hostname":
			e.host = value
		case "user":
			e.user = value
		case "port":
			if e.port, err = strconv.Atoi(value); err != nil {
				return nil, fmt.Errorf("port %q: %w", value, err)
			}
		case "addressfamily":
			e.network = map[string]string{"inet": "tcp4", "inet6": "tcp6"}[value]
			e.network = or(e.network, "tcp")
		case "identityfile":
			e.identities = append(e.identities, value)
		case "certificatefile":
			e.certificates = append(e.certificates, value)
		case "identitiesonly":
			e.onlyThese = value == "yes"
		case "identityagent":
			e.agentSocket = value
			expand = append(expand, &e.agentSocket)
		case "controlpath": // ssh has expanded its tokens
			e.controlPath = none(value)
		case "controlmaster":
			e.confirmed = value == "ask" || value == "autoask"
		case "proxyjump":
			e.jump = none(value)
		case "proxycommand":
			e.proxyCommand = none(value)
		case "hostkeyalias":
			e.alias = value
		case "userknownhostsfile":
			users = fields(value)
		case "globalknownhostsfile":
			global = fields(value)
		case "hostkeyalgorithms":
			e.algorithms = strings.Split(value, ",")
		case "stricthostkeychecking":
			e.unchecked = value == "false" || value == "off" || value == "no"
			if value == "accept-new" || value == "false" || value == "off" || value == "no" {
				d.Log.Debug("StrictHostKeyChecking is ignored: host keys are always verified", "host", t.Name, "value", value)
			}
		case "knownhostscommand", "revokedhostkeys":
			if none(value) != "" {
				return nil, fmt.Errorf("%s %s: not supported, and leaving it out would weaken the check of host keys", key, value)
			}
		case "pkcs11provider":
			if none(value) != "" {
				d.Log.Warn("PKCS11Provider is ignored; add the key to the agent: ssh-add -s "+value, "host", t.Name)
			}
		}
	}
	e.knownHosts = slices.DeleteFunc(append(users, global...), func(file string) bool {
		return none(file) == "" || file == os.DevNull
	})
	for _, list := range [][]string{e.identities, e.certificates, e.knownHosts} {
		for i := range list {
			expand = append(expand, &list[i])
		}
	}
	for _, value := range expand {
		if *value, err = d.expand(e, *value); err != nil {
			return nil, err
		}
	}
	e.agentSocket = identityAgent(e.agentSocket)
	return e, lines.Err()
}

func none(value string) string {
	if strings.EqualFold(value, "none") {
		return ""
	}
	return value
}

// fields splits at spaces outside of double quotes.
func fields(s string) []string {
	quoted := false
	list := strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	for i := range list {
		list[i] = strings.Trim(list[i], `"`)
	}
	return list
}

// identityAgent returns the socket that a value of IdentityAgent means; empty:
// no ssh-agent.
func identityAgent(value string) string {
	switch {
	case none(value) == "":
		return ""
	case value == "SSH_AUTH_SOCK":
		return os.Getenv("SSH_AUTH_SOCK")
	case strings.HasPrefix(value, "$"):
		return os.Getenv(strings.Trim(value, "${}"))
	}
	return value
}

func (d *Dialer) tilde(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		return d.resolver.me.HomeDir + path[1:]
	}
	return path
}

// expand replaces ~, ${VARIABLE} and the tokens of ssh_config(5).
func (d *Dialer) expand(e *endpoint, value string) (string, error) {
	value = d.tilde(value)
	if !strings.ContainsAny(value, "%$") {
		return value, nil
	}
	local, _ := os.Hostname()
	short, _, _ := strings.Cut(local, ".")
	tokens := map[byte]string{
		'%': "%", 'd': d.resolver.me.HomeDir, 'h': e.host, 'i': d.resolver.me.Uid,
		'j': e.jump, 'k': or(e.alias, e.host), 'L': short, 'l': local, 'n': e.name,
		'p': strconv.Itoa(e.port), 'r': e.user, 'u': d.resolver.me.Username,
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		rest := value[i:]
		switch {
		case rest[0] == '%' && len(rest) > 1:
			token, ok := tokens[rest[1]]
			if !ok {
				return "", fmt.Errorf("%q: token %%%c is not supported", value, rest[1])
			}
			b.WriteString(token)
			i++
		case strings.HasPrefix(rest, "${") && strings.Contains(rest, "}"):
			end := strings.IndexByte(rest, '}')
			b.WriteString(os.Getenv(rest[2:end]))
			i += end
		default:
			b.WriteByte(rest[0])
		}
	}
	return b.String(), nil
}
