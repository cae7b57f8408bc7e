package hcl

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"xmrfleet/modules"
)

// A resolver reads the settings of one host through its layers.
type resolver struct {
	*loader
	host   declaration
	layers []*layer // the last wins
}

// host gives a declared host with everything that applies to it.
func (l *loader) host(d declaration, base *layer, groups map[string]*layer) Host {
	r := resolver{loader: l, host: d, layers: []*layer{base}}
	for _, name := range d.groups {
		r.layers = append(r.layers, groups[name])
	}
	r.layers = append(r.layers, d.layer)
	return Host{
		Name: d.name, Address: d.address, Groups: d.groups,
		SSH:   r.ssh(),
		Miner: r.miner(),
		Pos:   position(d.rng.Filename, d.rng.Start),
	}
}

// find gives the value that wins and where it stands. The value is null if no
// layer sets one, and unknown if it is wrong.
func (r resolver) find(path string) (cty.Value, *setting) {
	for i := len(r.layers) - 1; i >= 0; i-- {
		if s := r.layers[i].settings[path]; s != nil {
			if v := r.valueFor(s, r.host.name); !v.IsNull() {
				return v, s
			}
		}
	}
	return cty.NullVal(cty.DynamicPseudoType), nil
}

// read is find for a value that can be used.
func (r resolver) read(path string) (cty.Value, bool) {
	v, _ := r.find(path)
	v, _ = v.UnmarkDeep()
	return v, v.IsWhollyKnown() && !v.IsNull()
}

func (r resolver) text(path, fallback string) string {
	if v, ok := r.read(path); ok {
		return v.AsString()
	}
	return fallback
}

func (r resolver) number(path string, fallback int) int {
	if v, ok := r.read(path); ok {
		n, _ := v.AsBigFloat().Int64()
		return int(n)
	}
	return fallback
}

func (r resolver) flag(path string, fallback bool) bool {
	if v, ok := r.read(path); ok {
		return v.True()
	}
	return fallback
}

func (r resolver) value(path string) modules.Value {
	v, _ := r.find(path)
	return secretOrPlain(v)
}

// secretOrPlain keeps a string's mark. Null and unknown are empty.
func secretOrPlain(v cty.Value) modules.Value {
	plain, marks := v.Unmark()
	if !plain.IsKnown() || plain.IsNull() {
		return modules.Value{}
	}
	if _, hidden := marks[sensitive]; hidden {
		return modules.Secret(plain.AsString())
	}
	return modules.Plain(plain.AsString())
}

// isSet reports whether any layer gives a value, be it right or wrong.
func (r resolver) isSet(path string) bool {
	v, _ := r.find(path)
	return !v.IsKnown() || !v.IsNull()
}

// require reports a setting that the host needs and no layer gives.
func (r resolver) require(path, why string) {
	if r.isSet(path) {
		return
	}
	block, name, ok := strings.Cut(path, ".")
	if !ok {
		name = block
	}
	r.diags.addAs("missing "+path, r.host.name, problem(r.host.rng, "Missing "+name, "%s", why))
}

// complain reports a setting that is wrong together with others.
func (r resolver) complain(path, detail string) {
	if _, s := r.find(path); s != nil {
		r.diags.add(r.host.name, problem(s.expr.Range(), "Invalid value", "%s", detail))
	}
}

func (r resolver) ssh() SSH {
	out := SSH{
		User:         r.text("ssh.user", ""),
		Port:         r.number("ssh.port", 0),
		IdentityFile: r.text("ssh.identity_file", ""),
		ProxyJump:    r.text("ssh.proxy_jump", ""),
	}
	if v, ok := r.read("ssh.host_key"); ok {
		out.HostKeys, _ = stringList(v)
	}
	return out
}

func (r resolver) miner() modules.Miner {
	m := modules.Miner{
		Host:   r.host.name,
		Worker: r.text("worker", r.host.name+"-production"),
		Wallet: r.value("wallet"),
		Pools:  r.pools(),
		XMRig:  r.xmrig(),
		Agent:  r.agent(),
	}
	if m.XMRig.State == modules.StateAbsent {
		return m
	}
	r.require("wallet", "A miner needs a wallet: the Monero address that is paid.")
	if len(m.Pools) == 0 {
		r.diags.addAs("missing pool", r.host.name, problem(r.host.rng, "Missing pool",
			`A miner needs a pool: pool "NAME" { url = "host:port" }`))
	}
	return m
}

func (r resolver) pools() []modules.Pool {
	var blocks []pool
	for _, l := range r.layers {
		if len(l.pools) > 0 {
			blocks = l.pools
		}
	}
	var out []modules.Pool
	for _, b := range blocks {
		p := r
		p.layers = []*layer{{settings: b.settings}}
		out = append(out, modules.Pool{
			URL:            p.text("pool.url", ""),
			User:           p.value("pool.user"),
			Pass:           p.value("pool.pass"),
			RigID:          p.text("pool.rig_id", ""),
			TLS:            p.flag("pool.tls", false),
			TLSFingerprint: strings.ToLower(p.text("pool.tls_fingerprint", "")),
			Keepalive:      p.flag("pool.keepalive", false),
			Nicehash:       p.flag("pool.nicehash", false),
			SNI:            p.flag("pool.sni", false),
			Algo:           p.text("pool.algo", ""),
			Coin:           p.text("pool.coin", ""),
			SOCKS5:         p.text("pool.socks5", ""),
		})
		if p.text("pool.tls_fingerprint", "") != "" && !p.flag("pool.tls", false) {
			p.complain("pool.tls_fingerprint", `"tls_fingerprint" has no effect without tls = true.`)
		}
	}
	return out
}

func (r resolver) xmrig() modules.XMRig {
	x := modules.XMRig{
		Version:        r.text("xmrig.version", ""),
		SHA256:         strings.ToLower(r.text("xmrig.sha256", "")),
		BinarySHA256:   strings.ToLower(r.text("xmrig.binary_sha256", "")),
		Install:        r.text("xmrig.install", modules.InstallPush),
		State:          r.text("xmrig.state", modules.StateRunning),
		MaxThreadsHint: r.number("xmrig.max_threads_hint", 100),
		HugePages:      r.flag("xmrig.huge_pages", true),
		DonateLevel:    r.number("xmrig.donate_level", 1),
		HTTPPort:       r.number("xmrig.http_port", 8080),
		AccessToken:    r.value("xmrig.access_token"),
		Config:         r.config(),
	}
	if v, ok := r.read("xmrig.priority"); ok {
		n, _ := v.AsBigFloat().Int64()
		priority := int(n)
		x.Priority = &priority
	}
	if r.host.removed {
		x.State = modules.StateAbsent
	}
	x.Source = r.source(x)
	if x.State == modules.StateAbsent {
		return x
	}
	if x.Install != modules.InstallExisting {
		r.require("xmrig.version", `The version of XMRig must be given: xmrig { version = "6.26.0" }`)
		r.require("xmrig.sha256", "The SHA-256 checksum of the release archive must be given. It stands in the file SHA256SUMS of the release.")
	}
	if x.Install == modules.InstallPull {
		r.require("xmrig.binary_sha256", `With install = "pull" no archive is opened here, so the checksum of the xmrig binary in it must be given, too.`)
	}
	if _, s := r.find("xmrig.version"); s != nil && olderThan(x.Version, 6, 22, 2) {
		r.diags.add("", remark(s.expr.Range(), "Old XMRig",
			"Before version 6.22.2 XMRig sometimes answers with truncated JSON, which looks like a dead miner."))
	}
	return x
}

// olderThan compares the three numbers that a version starts with.
func olderThan(version string, major, minor, patch int) bool {
	var a, b, c int
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &a, &b, &c); n < 3 {
		return false
	}
	if a != major {
		return a < major
	}
	if b != minor {
		return b < minor
	}
	return c < patch
}

// source is where the archive comes from: by default the project's release for
// any Linux on x86_64. A local path starts at the fleet file and comes out
// absolute.
func (r resolver) source(x modules.XMRig) string {
	source := r.text("xmrig.source", "")
	switch {
	case x.Install == modules.InstallExisting:
		return source
	case source == "" && (r.isSet("xmrig.source") || x.Version == ""):
		return ""
	case source == "":
		return fmt.Sprintf("https://github.com/xmrig/xmrig/releases/download/v%s/xmrig-%s-linux-static-x64.tar.gz", x.Version, x.Version)
	case strings.Contains(source, "://"):
		if u, err := url.Parse(source); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			r.complain("xmrig.source", `"source" must be an http or https URL, or the path of a local file.`)
		} else if u.User != nil {
			r.complain("xmrig.source", `"source" is shown in plans and logs, so its URL must hold no password.`)
		}
		return source
	case x.Install == modules.InstallPull:
		r.complain("xmrig.source", `"source" must be a URL where install = "pull": the host downloads it.`)
		return source
	case filepath.IsAbs(source):
		return source
	}
	path, err := filepath.Abs(filepath.Join(r.dir, source))
	if err != nil {
		r.complain("xmrig.source", capitalized(err.Error())+".")
	}
	return path
}

func (r resolver) agent() modules.Agent {
	interval, _ := time.ParseDuration(r.text("agent.interval", "10s"))
	a := modules.Agent{
		Interval:      interval,
		Database:      r.text("agent.database", ""),
		Hostname:      r.text("agent.hostname", ""),
		RestartPolicy: r.text("agent.restart_policy", "evidence"),
	}
	for _, t := range thresholds {
		if v, ok := r.read("agent." + t.name); ok {
			if a.Thresholds == nil {
				a.Thresholds = map[string]float64{}
			}
			a.Thresholds[t.name] = t.number(v)
		}
	}
	return a
}
