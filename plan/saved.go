package plan

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// savedFormat is the version of a saved plan's format.
const savedFormat = 1

// A Saved plan is a plan on its way from who reads it to who applies it: which
// changes of which hosts, and fingerprints that tell what moved since. It
// holds no values, and none can be guessed from it: every fingerprint is keyed
// by all that the fleet file was read with, stretched with a salt of its own.
// Who tries out a short secret has to pay scrypt for each guess.
type Saved struct {
	Format   int          `json:"format"`
	Tool     string       `json:"xmrfleet"` // the version that made it
	Made     time.Time    `json:"made"`
	Run      string       `json:"run_id"`
	Part     modules.Part `json:"target,omitempty"` // empty: the whole hosts
	Salt     []byte       `json:"salt"`
	Inputs   string       `json:"inputs"` // fingerprint of the fleet file, its variables and environment
	Hosts    []SavedHost  `json:"hosts"`
	Checksum string       `json:"checksum"` // of all above

	key []byte
}

// A SavedHost is what was planned for a host.
type SavedHost struct {
	Name        string        `json:"name"`
	Fingerprint string        `json:"fingerprint,omitempty"` // empty: the host was not read
	Changes     []SavedChange `json:"changes,omitempty"`
}

// A SavedChange names a change.
type SavedChange struct {
	Resource string         `json:"resource"`
	Action   modules.Action `json:"action"`
}

// NewSaved begins the saved plan of a run of this version of the tool, for one
// part of the hosts or "". Hosts are added by Add.
func NewSaved(tool, run string, part modules.Part, in Inputs) *Saved {
	s := &Saved{Format: savedFormat, Tool: tool, Made: time.Now().UTC().Truncate(time.Second), Run: run, Part: part, Salt: make([]byte, 16)}
	rand.Read(s.Salt)
	s.key = in.key(s.Salt)
	s.Inputs = s.sign("inputs")
	return s
}

// Add records what was planned for a host; p is nil if it was not read.
func (s *Saved) Add(host string, p *Plan) {
	h := SavedHost{Name: host}
	if p != nil {
		h.Fingerprint = s.fingerprint(host, p)
		h.Changes = savedChanges(p)
	}
	s.Hosts = append(s.Hosts, h)
}

func savedChanges(p *Plan) []SavedChange {
	var list []SavedChange
	for _, c := range p.Changes {
		list = append(list, SavedChange{c.Resource, c.Action})
	}
	return list
}

// Names are those of the hosts in the plan.
func (s *Saved) Names() []string {
	names := make([]string, len(s.Hosts))
	for i, h := range s.Hosts {
		names[i] = h.Name
	}
	return names
}

// encode is the content of the file.
func (s *Saved) encode() []byte {
	s.Checksum = ""
	sum := sha256.Sum256(s.marshal())
	s.Checksum = hex.EncodeToString(sum[:])
	return s.marshal()
}

func (s *Saved) marshal() []byte {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // plain types
	}
	return append(text, '\n')
}

// Write puts the plan into a file that only its owner reads, at once or not at
// all.
func (s *Saved) Write(name string) error {
	if err := renameio.WriteFile(name, s.encode(), 0o600, renameio.WithTempDir(filepath.Dir(name))); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// Replaceable fails if there is something by this name that a plan must not
// take the place of: a device, a link, a file with something else in it.
func Replaceable(name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a regular file", name)
	case err == nil && info.Size() > 0:
		var there Saved
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

// ReadSaved reads a saved plan that this version of the tool can apply.
func ReadSaved(name, tool string) (*Saved, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, hint.With(fmt.Errorf("read plan: %w", err), "`xmrfleet plan --out FILE` makes one; hosts are selected with --limit")
	}
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	s, err := parseSaved(text, tool)
	if err != nil {
		return nil, hint.With(fmt.Errorf("read plan %s: %w", name, err), "make a new one with `xmrfleet plan --out FILE`")
	}
	return s, nil
}

func parseSaved(text []byte, tool string) (*Saved, error) {
	var s Saved
	switch err := json.Unmarshal(text, &s); {
	case err != nil || s.Format == 0:
		return nil, errors.New("this is no saved plan")
	case s.Format != savedFormat:
		return nil, fmt.Errorf("its format is %d, and this xmrfleet reads %d", s.Format, savedFormat)
	case s.Tool != tool:
		return nil, fmt.Errorf("xmrfleet %s made it, and this is %s", s.Tool, tool)
	case !bytes.Equal(s.encode(), text):
		return nil, errors.New("it was edited or damaged")
	}
	return &s, nil
}
