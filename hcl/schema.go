package hcl

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"xmrfleet/modules"
)

// An attribute is one that a block accepts.
type attribute struct {
	name  string
	typ   cty.Type
	check check // nil: all values of the type will do

	// secret attributes can hold sensitive values.
	secret bool
	// token attributes always are sensitive: the value must not stand in the
	// file.
	token bool
	// noHost says why host.name cannot be used, where it cannot.
	noHost string
}

// blockAttributes are the attributes of each kind of block that a layer can
// hold. The empty kind is the layer itself.
var blockAttributes = map[string][]attribute{
	"": {
		{name: "wallet", typ: cty.String, check: isWallet, secret: true},
		{name: "worker", typ: cty.String, check: isWord},
	},
	"ssh": {
		{name: "user", typ: cty.String, check: matches(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\$?$`, "must be the name of a login")},
		{name: "port", typ: cty.Number, check: wholeNumber(1, 65535)},
		{name: "identity_file", typ: cty.String, check: isText},
		{name: "host_key", typ: cty.DynamicPseudoType, check: areHostKeys},
		{name: "proxy_jump", typ: cty.String, check: matches(`^[a-zA-Z0-9_\[][^\s'"\\;|&<>$]*$`, `must be a list of jump hosts as ssh takes it: "user@host:22,other"`)},
	},
	"pool": {
		{name: "url", typ: cty.String, check: isPoolURL},
		{name: "user", typ: cty.String, check: isPoolUser, secret: true},
		{name: "pass", typ: cty.String, secret: true},
		{name: "rig_id", typ: cty.String},
		{name: "tls", typ: cty.Bool},
		{name: "tls_fingerprint", typ: cty.String, check: isSHA256},
		{name: "keepalive", typ: cty.Bool},
		{name: "nicehash", typ: cty.Bool},
		{name: "sni", typ: cty.Bool},
		{name: "algo", typ: cty.String, check: isAlgorithm},
		{name: "coin", typ: cty.String, check: matches(`^[a-zA-Z0-9]+$`, `must be the name of a coin, as "monero"`)},
		{name: "socks5", typ: cty.String, check: isProxy},
	},
	"xmrig": {
		{name: "version", typ: cty.String, check: matches(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$`, `must have the form "6.26.0"`)},
		{name: "sha256", typ: cty.String, check: isSHA256},
		{name: "binary_sha256", typ: cty.String, check: isSHA256},
		{name: "source", typ: cty.String, check: isText},
		{name: "install", typ: cty.String, check: oneOf(modules.InstallPush, modules.InstallPull, modules.InstallExisting)},
		{name: "max_threads_hint", typ: cty.Number, check: wholeNumber(1, 100)},
		{name: "priority", typ: cty.Number, check: wholeNumber(-1, 5)},
		{name: "huge_pages", typ: cty.Bool},
		{name: "donate_level", typ: cty.Number, check: isDonateLevel},
		{name: "state", typ: cty.String, check: oneOf(modules.StateRunning, modules.StateStopped, modules.StateAbsent)},
		{name: "http_port", typ: cty.Number, check: wholeNumber(1, 65535)},
		{name: "access_token", typ: cty.String, check: matches(`^[!-~]+$`, "must hold visible ASCII characters only, and at least one"), secret: true, token: true},
		{name: "config", typ: cty.DynamicPseudoType, secret: true}, // checked key by key: see config.go
	},
	"agent": append([]attribute{
		{name: "interval", typ: cty.String, check: isInterval},
		{name: "database", typ: cty.String, check: isAbsolutePath},
		{name: "hostname", typ: cty.String, check: isName},
		{name: "restart_policy", typ: cty.String, check: oneOf("evidence", "immediate")},
	}, thresholdAttributes()...),
}

// layerSchema is the schema of a body that holds a layer and more.
func layerSchema(attrs []string, blocks ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: append(blocks,
		hcl.BlockHeaderSchema{Type: "pool", LabelNames: []string{"name"}},
		hcl.BlockHeaderSchema{Type: "ssh"},
		hcl.BlockHeaderSchema{Type: "xmrig"},
		hcl.BlockHeaderSchema{Type: "agent"},
	)}
	for _, name := range attrs {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, a := range blockAttributes[""] {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a.name})
	}
	return s
}

// blockSchema is the schema of a kind of block in blockAttributes.
func blockSchema(kind string) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, a := range blockAttributes[kind] {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a.name})
	}
	return s
}

var (
	fileSchema = layerSchema([]string{"hosts", "require_selector", "required_version"},
		hcl.BlockHeaderSchema{Type: "variable", LabelNames: []string{"name"}},
		hcl.BlockHeaderSchema{Type: "locals"},
		hcl.BlockHeaderSchema{Type: "host", LabelNames: []string{"name"}},
		hcl.BlockHeaderSchema{Type: "group", LabelNames: []string{"name"}},
		hcl.BlockHeaderSchema{Type: "removed", LabelNames: []string{"name"}},
	)
	hostSchema  = layerSchema([]string{"address", "groups"})
	groupSchema = layerSchema(nil)

	// removedSchema is all that it takes to reach a host that is to hold nothing.
	removedSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "address"}, {Name: "groups"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "ssh"}},
	}
)
