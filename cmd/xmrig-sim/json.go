//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// An object is a JSON object that keeps the order of its members. Values are
// nil, bool, string, json.Number, int, []any and object.
type object []member

type member struct {
	key   string
	value any
}

// parse reads one JSON object in the dialect that XMRig accepts: with comments
// and trailing commas (XMRig source Json_unix.cpp:37).
func parse(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(strict(text)))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if _, err := d.Token(); !ok || err != io.EOF {
		return nil, errors.New("the document is not one object")
	}
	return o, nil
}

// parseBody reads a recorded body of the API, an object or an array. It panics
// on anything else, because the bodies are part of the program.
func parseBody(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		panic(err)
	}
	return v
}

func parseValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{key.(string), value})
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		a := []any{}
		for d.More() {
			value, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			a = append(a, value)
		}
		_, err := d.Token()
		return a, err
	}
	return token, nil
}

// strict blanks comments and trailing commas, so that offsets stay right.
func strict(text []byte) []byte {
	out := bytes.Clone(text)
	comma := -1 // of a comma that nothing but space follows so far
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"':
			comma = -1
			for i++; i < len(out) && out[i] != '"'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
		case c == '/' && i+1 < len(out) && (out[i+1] == '/' || out[i+1] == '*'):
			end := "\n"
			if out[i+1] == '*' {
				end = "*/"
			}
			n := bytes.Index(out[i+2:], []byte(end))
			if n < 0 {
				n = len(out) - i - 2 - len(end)
			}
			for stop := i + 2 + n + len(end); i < stop; i++ {
				out[i] = ' '
			}
			i--
		case c == ',':
			comma = i
		case c == '}' || c == ']':
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			comma = -1
		}
	}
	return out
}

// get returns the value at a path of keys, or nil.
func (o object) get(path ...string) any {
	for _, m := range o {
		if m.key == path[0] {
			if len(path) == 1 {
				return m.value
			}
			inner, _ := m.value.(object)
			return inner.get(path[1:]...)
		}
	}
	return nil
}

// set replaces the value at a path like "connection.ip". The path must exist.
func (o object) set(path string, value any) {
	key, rest, nested := strings.Cut(path, ".")
	for i := range o {
		switch {
		case o[i].key != key:
		case nested:
			o[i].value.(object).set(rest, value)
			return
		default:
			o[i].value = value
			return
		}
	}
	panic("no such member: " + path)
}

// overlay replaces the members of o by those of the same name in from, object
// by object. Members that o does not have are dropped.
func (o object) overlay(from object) {
	for i, m := range o {
		value := from.get(m.key)
		inner, isObject := m.value.(object)
		switch v := value.(type) {
		case nil:
		case object:
			if isObject {
				inner.overlay(v)
			}
		default:
			o[i].value = v
		}
	}
}

// render writes a value as XMRig does: four spaces, and an array on one line
// unless it holds arrays or objects.
func render(v any) []byte {
	var b bytes.Buffer
	renderValue(&b, v, "\n")
	return b.Bytes()
}

func renderValue(b *bytes.Buffer, v any, newline string) {
	inner := newline + "    "
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			b.WriteString("{}")
			return
		}
		for i, m := range v {
			b.WriteString([]string{"{", ","}[min(i, 1)] + inner + quote(m.key) + ": ")
			renderValue(b, m.value, inner)
		}
		b.WriteString(newline + "}")
	case []any:
		before, between, after := "", ", ", ""
		if len(v) > 0 && nests(v[0]) {
			before, between, after = inner, ","+inner, newline
		}
		b.WriteByte('[')
		for i, e := range v {
			b.WriteString([]string{before, between}[min(i, 1)])
			renderValue(b, e, inner)
		}
		b.WriteString(after + "]")
	case string:
		b.WriteString(quote(v))
	case nil:
		b.WriteString("null")
	default:
		fmt.Fprint(b, v)
	}
}

func nests(v any) bool {
	switch v.(type) {
	case object, []any:
		return true
	}
	return false
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // no error: a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// decimal is a number as XMRig prints rates and loads: cut, not rounded, after
// two places, and never without a decimal point.
func decimal(f float64) json.Number {
	const noise = 1e-3 // of sums in floating point, far below one place
	s := strconv.FormatFloat(math.Floor(f*100+noise)/100, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}
