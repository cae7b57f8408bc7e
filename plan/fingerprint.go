package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"golang.org/x/crypto/scrypt"

	"xmrfleet/modules"
)

// Inputs are all that decides what a fleet file means.
type Inputs struct {
	File []byte
	Vars map[string]string
	Env  map[string]*string // what was asked for; nil: it is not set
}

// key stretches the inputs, which may hold short secrets, to a key.
func (in Inputs) key(salt []byte) []byte {
	text, err := json.Marshal(in)
	if err != nil {
		panic(err) // plain types
	}
	key, err := scrypt.Key(text, salt, 1<<15, 8, 1, sha256.Size)
	if err != nil {
		panic(err) // the parameters are constants
	}
	return key
}

// fingerprint is of what a reader of the plan is shown and of what the host
// would run. Old secrets of the host are in neither.
func (s *Saved) fingerprint(host string, p *Plan) string {
	type command struct {
		Script string
		Args   []string
		Stdin  string
	}
	type change struct {
		Resource, Reason string
		Action           modules.Action
		Fields           []modules.Field
		Before, After    string
		Steps            []command
	}
	changes := make([]change, len(p.Changes))
	for i, c := range p.Changes {
		changes[i] = change{c.Resource, c.Reason, c.Action, c.Fields, c.Before, c.After, nil}
		for _, step := range c.Steps {
			what := command{Script: step.Script, Args: step.Args}
			if step.Stdin != nil {
				what.Stdin = step.Stdin.SHA256
			}
			changes[i].Steps = append(changes[i].Steps, what)
		}
	}
	return s.sign("host", host, p.Facts.Hostname, p.Facts.Arch, string(s.Part), changes)
}

// sign is the keyed hash of some values.
func (s *Saved) sign(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // plain types
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}
