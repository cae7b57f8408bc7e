package executor

import (
	"context"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"xmrfleet/modules"
)

// A Trace is the way to a host, as far as it could be gone.
type Trace struct {
	Resolver  string        `json:"resolver"`       // the ssh program that was asked; empty: there is none
	Hops      []Hop         `json:"hops,omitempty"` // in order; the last is the host itself
	Root      string        `json:"root,omitempty"` // how one becomes root: "login" or "sudo"
	RoundTrip time.Duration `json:"round_trip_ns"`  // the shortest of three; 0: not measured
	Err       error         `json:"-"`              // an [*Error]: why the way ends, with advice; nil: it does not
}

// A Hop is one sshd on the way.
type Hop struct {
	Name     string    `json:"name"`
	User     string    `json:"user"`
	Address  string    `json:"address"` // host:port
	Settings []Setting `json:"settings"`

	// HostKey is type and fingerprint of what the host showed; empty if it
	// did not come to that. KnownFrom says where that key is known from, as
	// "FILE:LINE"; it is empty for a key that is not.
	HostKey        string    `json:"host_key,omitempty"`
	HostKeyExpires time.Time `json:"host_key_expires,omitzero"` // of a certificate
	KnownFrom      string    `json:"known_from,omitempty"`

	Keys     []Key    `json:"keys,omitempty"`     // in the order in which they are offered
	Unusable []string `json:"unusable,omitempty"` // key files that cannot be offered, and why

	// ControlSocket is the ControlPath that was tried. Over a live OpenSSH
	// master there is no login of our own: neither host key nor keys are seen.
	// ControlUnused says why it was not that way; empty: it was.
	ControlSocket string `json:"control_socket,omitempty"`
	ControlUnused string `json:"control_unused,omitempty"`

	Took time.Duration `json:"took_ns"` // from the first packet until logged in, or until a master had the session; 0: it failed
}

// Shared reports whether the way went over a live OpenSSH master.
func (h Hop) Shared() bool { return h.ControlSocket != "" && h.ControlUnused == "" }

// A Setting is one keyword of ssh_config(5) and who said so.
type Setting struct {
	Keyword string `json:"keyword"`
	Value   string `json:"value"`
	Origin  Origin `json:"origin"`
}

// An Origin is where a setting comes from.
type Origin string

const (
	FromFleet   Origin = "fleet.hcl"
	FromConfig  Origin = "ssh config"
	FromJump    Origin = "ProxyJump" // the hop's own words: user@host:port
	FromDefault Origin = "default"
)

// A Key is one that may be offered to a host.
type Key struct {
	From    string    `json:"from"` // its file, or "agent: COMMENT"
	Answer  Answer    `json:"answer"`
	Expires time.Time `json:"expires,omitzero"` // of a certificate
}

// An Answer is what a host says to a key.
type Answer string

const (
	Accepted Answer = "accepted"
	Refused  Answer = "refused"
	NotTried Answer = "not tried"
)

// Trace goes the way to a host up to a root shell, as [Dialer.Open] does, and
// tells what it met. It changes nothing on the host. Where the way ends, the
// error's hint says how it goes on.
func (d *Dialer) Trace(ctx context.Context, t Target) *Trace {
	d.init()
	trace := &Trace{}
	if trace.Err = d.trace(ctx, t, trace); trace.Err != nil {
		trace.Err = d.advise(trace, t)
	}
	return trace
}

func (d *Dialer) trace(ctx context.Context, t Target, trace *Trace) error {
	e, err := d.resolve(ctx, t)
	trace.Resolver = d.resolver.binary
	if err != nil {
		return err
	}
	who := modules.Command{Script: `printf %s "$SUDO_USER"`}
	a := &attempt{endpoint: e}
	shell, results, err := d.open(ctx, a, OpenOptions{First: []modules.Command{who}})
	trace.Hops = d.hops(ctx, a)
	if err != nil {
		return err
	}
	defer shell.Close()
	trace.Root = "login"
	if results[0].Stdout != "" {
		trace.Root = "sudo"
	}
	trace.RoundTrip, err = shell.roundTrip(ctx)
	return err
}

// roundTrip measures the way to sshd and back, without the shell behind it.
func (s *Shell) roundTrip(ctx context.Context) (time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { s.conn.fail(context.Cause(ctx)) })
	defer stop()
	var best time.Duration
	for range 3 {
		begun := time.Now()
		if err := s.conn.ask(); err != nil {
			return 0, s.conn.explain(ctx, &Error{Reason: Lost, Op: "measure round trip", Err: err})
		}
		if took := time.Since(begun); best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// hops describes an endpoint that was tried, after the hops that lead to it.
func (d *Dialer) hops(ctx context.Context, a *attempt) []Hop {
	var list []Hop
	if a.bastion != nil && a.bastion.attempt != nil {
		list = d.hops(ctx, a.bastion.attempt)
		for i := range list {
			list[i].Settings = fromJump(list[i].Settings)
		}
	}
	e := a.endpoint
	hop := Hop{Name: e.name, User: e.user, Address: e.address(), Settings: d.settings(ctx, e)}
	if m := a.master; m != nil {
		hop.ControlSocket = e.controlPath
		if hop.Took = m.took; m.err != nil {
			hop.ControlUnused, hop.Took = m.err.Error(), 0
		}
	}
	if h := a.handshake; h != nil {
		hop.Took = h.took
		hop.showHostKey(h)
		hop.showKeys(h)
	}
	return append(list, hop)
}

// fromJump corrects the origin of a hop's settings. What we give ssh for a hop
// comes from ProxyJump, since a hop is no host of the fleet.
func fromJump(settings []Setting) []Setting {
	for i := range settings {
		if settings[i].Origin == FromFleet {
			settings[i].Origin = FromJump
		}
	}
	return settings
}

func (hop *Hop) showHostKey(h *handshake) {
	if h.hostKey == nil {
		return
	}
	hop.HostKey = h.hostKey.Type() + " " + ssh.FingerprintSHA256(h.hostKey)
	cert, isCert := h.hostKey.(*ssh.Certificate)
	if isCert {
		hop.HostKey = cert.Type() + " " + ssh.FingerprintSHA256(cert.Key)
		hop.HostKeyExpires = expiry(cert)
	}
	switch {
	case !h.trusted:
	case h.check.db == nil:
		hop.KnownFrom = "host_key in fleet.hcl"
	case isCert:
		hop.KnownFrom = "the authority " + ssh.FingerprintSHA256(cert.SignatureKey)
	default:
		hop.KnownFrom = h.check.db.placeOf(h.checkName(), h.hostKey)
	}
}

func (hop *Hop) showKeys(h *handshake) {
	for i, offer := range h.offers.list {
		key := Key{From: offer.from, Answer: NotTried}
		switch {
		case h.key != "" && i == h.tried-1:
			key.Answer = Accepted
		case i < h.tried:
			key.Answer = Refused
		}
		if public, err := ssh.ParsePublicKey(offer.PublicKey().Marshal()); err == nil {
			if cert, ok := public.(*ssh.Certificate); ok {
				key.Expires = expiry(cert)
			}
		}
		hop.Keys = append(hop.Keys, key)
	}
	for _, file := range h.offers.locked {
		hop.Unusable = append(hop.Unusable, file+": it has a passphrase")
	}
	hop.Unusable = append(hop.Unusable, h.offers.broken...)
}

// expiry is zero where a certificate is good for ever.
func expiry(cert *ssh.Certificate) time.Time {
	if cert.ValidBefore == ssh.CertTimeInfinity {
		return time.Time{}
	}
	return time.Unix(int64(cert.ValidBefore), 0)
}

// keywords are what settings lists: those that say where a host is in any case,
// the others if their value is not the default of ssh.
var keywords = []struct {
	name   string
	always bool
	given  func(Target) bool // by the fleet
}{
	{"HostName", true, func(t Target) bool { return t.Address != "" }},
	{"Port", true, func(t Target) bool { return t.Port != 0 }},
	{"User", true, func(t Target) bool { return t.User != "" }},
	{"IdentityFile", false, func(t Target) bool { return t.IdentityFile != "" }},
	{"CertificateFile", false, nil},
	{"IdentitiesOnly", false, nil},
	{"IdentityAgent", false, nil},
	{"ProxyJump", false, func(t Target) bool { return t.ProxyJump != "" }},
	{"ProxyCommand", false, nil},
	{"HostKeyAlias", false, nil},
	{"HostKeyAlgorithms", false, nil},
	{"UserKnownHostsFile", false, nil},
	{"GlobalKnownHostsFile", false, nil},
}

// settings asks ssh again, once as it is configured and once without any
// configuration: what differs was configured.
func (d *Dialer) settings(ctx context.Context, e *endpoint) []Setting {
	configured, plain := e.values(), map[string]string{}
	if d.resolver.binary != "" {
		configured = d.values(ctx, d.SSHConfig, e.target)
		plain = d.values(ctx, "none", Target{Name: e.name})
	}
	var list []Setting
	for _, k := range keywords {
		key := strings.ToLower(k.name)
		s := Setting{Keyword: k.name, Value: configured[key], Origin: FromDefault}
		switch {
		case k.given != nil && k.given(e.target):
			s.Origin = FromFleet
		case s.Value != plain[key] && len(plain) > 0:
			s.Origin = FromConfig
		}
		if s.Value != "" && (k.always || s.Origin != FromDefault) {
			list = append(list, s)
		}
	}
	return list
}

// values are those of an endpoint that was resolved without ssh.
func (e *endpoint) values() map[string]string {
	return map[string]string{"hostname": e.host, "port": strconv.Itoa(e.port), "user": e.user,
		"identityfile": e.target.IdentityFile, "proxyjump": e.jump}
}

// values are the keywords that ssh -G prints and their values; those of a keyword
// that comes several times are joined. There are none if ssh fails.
func (d *Dialer) values(ctx context.Context, config string, t Target) map[string]string {
	out, _ := d.askSSH(ctx, config, t)
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if values[key] != "" {
			value = values[key] + ", " + value
		}
		values[key] = value
	}
	return values
}
