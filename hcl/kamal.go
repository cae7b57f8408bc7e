package hcl

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
)

// A Kamal is what a fleet takes from a Kamal file, see
// https://kamal-deploy.org/docs/configuration/servers.
type Kamal struct {
	Hosts      []string // of the role web, in order
	Expression string   // by which fleet.hcl reads them from the file
}

// ReadKamal reads the Kamal file at path, which usually is config/deploy.yml.
// The expression names the file as reference does.
func ReadKamal(path, reference string) (Kamal, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Kamal{}, errors.Unwrap(err) // *fs.PathError repeats the name
	}
	file, err := yaml.YAMLDecodeFunc.Call([]cty.Value{cty.StringVal(string(text))})
	if err != nil {
		if strings.Contains(string(text), "<%") {
			return Kamal{}, errors.New("it is a template of Ruby, which only Kamal can evaluate")
		}
		return Kamal{}, fmt.Errorf("it is no YAML: %w", err)
	}
	servers, ok := member(file, "servers")
	if !ok {
		return Kamal{}, errors.New("it has no servers")
	}
	name := hclwrite.TokensForValue(cty.StringVal(reference)).Bytes()
	k := Kamal{Expression: fmt.Sprintf("yamldecode(file(%s)).servers", name)}
	list := servers
	if isObject(servers) { // of roles
		if list, ok = member(servers, "web"); !ok {
			return Kamal{}, fmt.Errorf("its servers have no role web, but %s", strings.Join(hostNames(servers), ", "))
		}
		k.Expression += ".web"
	}
	if hosts, ok := member(list, "hosts"); ok {
		list = hosts
		k.Expression += ".hosts"
	}
	return k, k.read(list)
}

// read takes the hosts of a list. One that has tags stands there as an object
// with its name as the only key.
func (k *Kamal) read(list cty.Value) error {
	if list.IsNull() || !list.Type().IsTupleType() {
		return errors.New("its servers are no list of hosts")
	}
	tagged := false
	for it := list.ElementIterator(); it.Next(); {
		_, host := it.Element()
		name := ""
		switch {
		case isObject(host) && host.LengthInt() == 1:
			tagged, name = true, hostNames(host)[0]
		case host.Type() == cty.String && !host.IsNull():
			name = host.AsString()
		}
		if !isHostName(name) {
			return fmt.Errorf("host number %d has the name %q: it %s", len(k.Hosts)+1, name, hostNameRule)
		}
		if slices.Contains(k.Hosts, name) {
			return fmt.Errorf("it names the host %s twice", name)
		}
		k.Hosts = append(k.Hosts, name)
	}
	if k.Hosts == nil {
		return errors.New("its list of hosts is empty")
	}
	if tagged {
		k.Expression = fmt.Sprintf("[for host in %s : try(keys(host)[0], host)]", k.Expression)
	}
	return nil
}

func member(v cty.Value, name string) (cty.Value, bool) {
	if !isObject(v) || !v.Type().HasAttribute(name) {
		return cty.NilVal, false
	}
	return v.GetAttr(name), true
}
