package modules

import "fmt"

// A Value is a string that may be a secret. Printing it in any way masks a
// secret; only Reveal gives the content. The zero Value is the empty string.
// Values are not to be compared with ==.
type Value struct {
	text   *string // a pointer, because fmt prints fields where it calls no methods
	secret bool
}

// Plain is a value that anyone may read.
func Plain(s string) Value { return Value{text: &s} }

// Secret is a value that no output may show.
func Secret(s string) Value { return Value{text: &s, secret: true} }

// Masked is what stands in every output in place of a secret.
const Masked = "(sensitive)"

// Reveal returns the content.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsSecret reports whether outputs have to mask the content.
func (v Value) IsSecret() bool { return v.secret }

// IsEmpty reports whether the content is the empty string.
func (v Value) IsEmpty() bool { return v.Reveal() == "" }

func (v Value) String() string {
	if v.secret {
		return Masked
	}
	return v.Reveal()
}

// Format keeps a secret out of every verb as String keeps it out of %v.
func (v Value) Format(s fmt.State, verb rune) {
	fmt.Fprintf(s, fmt.FormatString(s, verb), v.String())
}

// MarshalText keeps a secret out of JSON that was not made for the host.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
