package modules

// A Value is a string that may be a secret. Printing it in any way masks a
// secret; only Reveal gives the content. The zero Value is the empty string.
type Value struct {
	text   string
	secret bool
}

// Plain is a value that anyone may read.
func Plain(s string) Value { return Value{text: s} }

// Secret is a value that no output may show.
func Secret(s string) Value { return Value{text: s, secret: true} }

// Masked is what stands in every output in place of a secret.
const Masked = "(sensitive)"

// Reveal returns the content.
func (v Value) Reveal() string { return v.text }

// IsSecret reports whether outputs have to mask the content.
func (v Value) IsSecret() bool { return v.secret }

// IsEmpty reports whether the content is the empty string.
func (v Value) IsEmpty() bool { return v.text == "" }

func (v Value) String() string {
	if v.secret {
		return Masked
	}
	return v.text
}

// GoString keeps a secret out of %#v as String keeps it out of %v.
func (v Value) GoString() string { return v.String() }

// MarshalText keeps a secret out of JSON that was not made for the host.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
