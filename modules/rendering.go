package modules

import (
	"maps"
	"path"
	"slices"
)

// A Rendering is a file as a resource would write it.
type Rendering struct {
	Path  string `json:"path"`
	Mode  string `json:"mode"` // octal, four digits
	Owner string `json:"owner"`
	Group string `json:"group"`

	// Text is the content, secrets masked; empty where it is no text. Summary
	// says then what it is.
	Text    string `json:"text,omitempty"`
	Summary string `json:"summary,omitempty"`
}

// A renderer is a resource that writes files.
type renderer interface {
	render() []Rendering
}

// Render lists the files that the resources would write, in their order. It
// asks no host: what only a host can tell, as its architecture, is left open.
func Render(resources []Resource) []Rendering {
	var list []Rendering
	for _, r := range resources {
		if r, ok := r.(renderer); ok {
			list = append(list, r.render()...)
		}
	}
	return list
}

func (f File) render() []Rendering {
	r := Rendering{Path: f.Path, Mode: f.Mode, Owner: f.Owner, Group: f.Group, Text: f.show(f.Content)}
	if f.Show == nil {
		r.Summary = "not shown"
	}
	return []Rendering{r}
}

func (u Unit) render() []Rendering { return u.file().render() }

func (j Journal) render() []Rendering {
	if j.Absent {
		return nil
	}
	return j.file().render()
}

func (l Symlink) render() []Rendering { return []Rendering{linked(l.Path, l.Target)} }

func linked(from, to string) Rendering {
	return Rendering{Path: from, Mode: "0777", Owner: "root", Group: "root", Summary: "a link to " + to}
}

func (e Executable) render() []Rendering {
	r := e.file().render()[0]
	r.Summary = "a program"
	for _, arch := range slices.Sorted(maps.Keys(e.Builds)) {
		r.Summary += ", on " + arch + " of sha256 " + e.Builds[arch].SHA256
	}
	return []Rendering{r}
}

func (b Binary) render() []Rendering {
	if b.Absent {
		return nil
	}
	sum, summary := b.SHA256, "a program"
	switch {
	case b.Install == InstallExisting:
		summary = "the program that is found on the host"
	case b.URL != "":
		summary = "the member xmrig of " + b.URL
	}
	if sum == "" {
		sum = "SHA256"
	}
	stored := path.Join(b.Store, sum, b.Name)
	return []Rendering{
		{Path: stored, Mode: rootOwned.mode, Owner: rootOwned.owner, Group: rootOwned.group, Summary: summary},
		linked(b.Link, stored),
	}
}
