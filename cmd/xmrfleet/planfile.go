package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/scrypt"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// planFormat is the version of a saved plan's format.
const planFormat = 1

// A savedPlan is a plan on its way from who reads it to who applies it: which
// changes of which hosts, and fingerprints that tell what moved since. It
// holds no values, and none can be guessed from it: every fingerprint is keyed
// by all that the fleet file was read with, stretched with a salt of its own.
// Who tries out a short secret has to pay scrypt for each guess.
type savedPlan struct {
	Format   int          `json:"format"`
	Tool     string       `json:"xmrfleet"`
	Made     time.Time    `json:"made"`
	Run      string       `json:"run_id"`
	Part     modules.Part `json:"target,omitempty"`
	Salt     []byte       `json:"salt"`
	Inputs   string       `json:"inputs"` // fingerprint of the fleet file, its variables and environment
	Hosts    []savedHost  `json:"hosts"`
	Checksum string       `json:"checksum"` // of all above

	key []byte
}

// A savedHost is what was planned for a host.
type savedHost struct {
	Name        string        `json:"name"`
	Fingerprint string        `json:"fingerprint,omitempty"` // empty: the host was not read
	Changes     []savedChange `json:"changes,omitempty"`
}

type savedChange struct {
	Resource string         `json:"resource"`
	Action   modules.Action `json:"action"`
}

// stale is the error of a saved plan that is not what an apply would do now.
func stale(why, advice string) error {
	return hint.WithKind(fmt.Errorf("the saved plan is stale: %s", why), view.Stale, advice)
}

// newSavedPlan records what was planned for the sessions.
func newSavedPlan(run string, part *modules.Part, in inputs, sessions []*session) *savedPlan {
	s := &savedPlan{Format: planFormat, Tool: version, Made: time.Now().UTC().Truncate(time.Second), Run: run, Salt: make([]byte, 16)}
	rand.Read(s.Salt)
	if part != nil {
		s.Part = *part
	}
	s.key = in.key(s.Salt)
	s.Inputs = s.sign("inputs")
	for _, session := range sessions {
		h := savedHost{Name: session.host.Name}
		if session.err == nil {
			h.Fingerprint = s.fingerprint(h.Name, session.plan)
			for _, c := range session.plan.Changes {
				h.Changes = append(h.Changes, savedChange{c.Resource, c.Action})
			}
		}
		s.Hosts = append(s.Hosts, h)
	}
	return s
}

// encode is the content of the file.
func (s *savedPlan) encode() []byte {
	s.Checksum = ""
	sum := sha256.Sum256(s.marshal())
	s.Checksum = hex.EncodeToString(sum[:])
	return s.marshal()
}

func (s *savedPlan) marshal() []byte {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // plain types
	}
	return append(text, '\n')
}

// write puts the plan into a file that only its owner reads, at once or not at
// all.
func (s *savedPlan) write(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(s.encode())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// replaceable fails if there is something by this name that a plan must not
// take the place of: a device, a link, a file with something else in it.
func replaceable(name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a regular file", name)
	case err == nil && info.Size() > 0:
		var there savedPlan
		if text, rerr := os.ReadFile(name); rerr != nil {
			err = rerr
		} else if json.Unmarshal(text, &there) != nil || there.Format == 0 {
			err = fmt.Errorf("%s is there already and is no saved plan", name)
		}
	}
	if err != nil {
		return hint.With(fmt.Errorf("save plan: %w", err), "name another file with --out")
	}
	return nil
}

// readPlan reads a saved plan that this xmrfleet can apply.
func readPlan(name string) (*savedPlan, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, hint.With(fmt.Errorf("read plan: %w", err), "`xmrfleet plan --out FILE` makes one; hosts are selected with --limit")
	}
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	const again = "make a new one with `xmrfleet plan --out FILE`"
	var s savedPlan
	switch err := json.Unmarshal(text, &s); {
	case err != nil || s.Format == 0:
		return nil, hint.With(fmt.Errorf("read plan %s: this is no saved plan", name), again)
	case s.Format != planFormat:
		return nil, hint.With(fmt.Errorf("read plan %s: its format is %d, and this xmrfleet reads %d", name, s.Format, planFormat), again)
	case s.Tool != version:
		return nil, hint.With(fmt.Errorf("read plan %s: xmrfleet %s made it, and this is %s", name, s.Tool, version), again)
	case !bytes.Equal(s.encode(), text):
		return nil, hint.With(fmt.Errorf("read plan %s: it was edited or damaged", name), again)
	}
	return &s, nil
}

// names are those of the hosts in the plan.
func (s *savedPlan) names() []string {
	names := make([]string, len(s.Hosts))
	for i, h := range s.Hosts {
		names[i] = h.Name
	}
	return names
}

// unlock checks that the fleet file and all it was read with are the same.
func (s *savedPlan) unlock(in inputs) error {
	s.key = in.key(s.Salt)
	if !hmac.Equal([]byte(s.sign("inputs")), []byte(s.Inputs)) {
		return stale("the fleet file, a variable or the environment that it reads has changed",
			"use the same --var and environment, or make a new plan with `xmrfleet plan --out FILE`")

	}
	return nil
}

// check says why a host that was read now must not be changed by this plan, or
// nil. A host with nothing left to do is as the plan would leave it.
func (s *savedPlan) check(name string, now *plan.Plan) error {
	var saved savedHost
	if i := slices.IndexFunc(s.Hosts, func(h savedHost) bool { return h.Name == name }); i >= 0 {
		saved = s.Hosts[i]
	}
	const again = "make a new plan and read it: `xmrfleet plan --out FILE`"
	switch {
	case now.Empty():
		return nil
	case saved.Fingerprint == "":
		return stale("the host is not in it, or could not be read when it was made", again)
	case !hmac.Equal([]byte(s.fingerprint(name, now)), []byte(saved.Fingerprint)):
		return stale(drift(saved, now), again)
	}
	return nil
}

// drift says in what a host differs from its saved plan.
func drift(saved savedHost, now *plan.Plan) string {
	var changes []savedChange
	for _, c := range now.Changes {
		changes = append(changes, savedChange{c.Resource, c.Action})
	}
	var words []string
	for _, c := range changes {
		if !slices.Contains(saved.Changes, c) {
			words = append(words, fmt.Sprintf("%s %s is new", c.Action, c.Resource))
		}
	}
	for _, c := range saved.Changes {
		if !slices.Contains(changes, c) {
			words = append(words, fmt.Sprintf("%s %s is gone", c.Action, c.Resource))
		}
	}
	if words == nil {
		return "the host moved, and the same changes would do something else now"
	}
	return "the host moved: " + strings.Join(words, ", ")
}

// fingerprint is of what a reader of the plan is shown and of what the host
// would run. Old secrets of the host are in neither.
func (s *savedPlan) fingerprint(host string, p *plan.Plan) string {
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
func (s *savedPlan) sign(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // plain types
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// inputs are all that decides what fleet.hcl means.
type inputs struct {
	File []byte
	Vars map[string]string
	Env  map[string]*string // what was asked for; nil: it is not set
}

// key stretches the inputs, which may hold short secrets, to a key.
func (in inputs) key(salt []byte) []byte {
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
