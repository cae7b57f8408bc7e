package plan

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules"
)

// journal puts a systemd-cat on the PATH that writes to a file, and returns the
// file: there may be no journald here.
func journal(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "journal")
	script := "#!/bin/sh\necho \"$*\" >>" + file + "\ncat >>" + file + "\n"
	if err := os.WriteFile(filepath.Join(dir, "systemd-cat"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return file
}

// A shell is a host that runs commands with the real sh, each as it comes.
type shell struct {
	t       *testing.T
	batches []int // how many commands each Run got
	lose    int   // the connection is lost before this batch; 0: never
}

func (s *shell) Run(_ context.Context, done func(int, modules.Result), commands ...modules.Command) ([]modules.Result, error) {
	s.t.Helper()
	s.batches = append(s.batches, len(commands))
	if len(s.batches) == s.lose {
		return nil, errors.New("the connection was lost")
	}
	results := make([]modules.Result, len(commands))
	failed := false
	for i, c := range commands {
		if failed {
			results[i].Status = modules.NotRun
			continue
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.Command("/bin/sh", append([]string{"-c", c.Script, "sh"}, c.Args...)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			s.t.Fatal(err)
		}
		results[i] = modules.Result{Status: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
		failed = results[i].Status != 0
		done(i, results[i])
	}
	return results, nil
}

// facts answer for a supported host in place of the real one.
const facts = "uname=rig 6.1 x86_64\nsystemd=systemd 252 (252.36)\n"

// A line is a resource of these tests: the host should have a line in a file.
type line struct {
	file, text string
	step       string // in place of what would write the line
	service    bool
}

func (l line) ID() string      { return "line " + l.text }
func (l line) Validate() error { return nil }
func (l line) Probe() modules.Command {
	return modules.Command{Script: `grep -cxF "$2" "$1" 2>/dev/null; :`, Args: []string{l.file, l.text}}
}

func (l line) Diff(probed string, _ modules.Facts) (modules.Change, error) {
	if probed == "broken\n" {
		return modules.Change{}, errors.New(l.ID() + ": cannot be")
	}
	if strings.TrimSpace(probed) != "0" && probed != "" {
		return modules.Change{}, nil
	}
	script := l.step
	if script == "" {
		script = `echo "$2" >>"$1"`
	}
	return modules.Change{Action: modules.Update, Disruptive: l.service,
		Steps: []modules.Command{{Script: `:`}, {Script: script, Args: []string{l.file, l.text}}}}, nil
}

// planned reads the host and makes the plan, with facts in place of the first
// answer.
func planned(t *testing.T, s *shell, resources []modules.Resource) *Plan {
	t.Helper()
	answers, err := s.Run(t.Context(), func(int, modules.Result) {}, Probes(resources)[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Make(resources, append([]modules.Result{{Stdout: facts}}, answers...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func names(changes []Change) string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Resource)
	}
	return strings.Join(out, ", ")
}

func TestApply(t *testing.T) {
	journal(t)
	type result struct{ done, pending, err string }
	for _, tt := range []struct {
		name    string
		lines   []line
		lose    int
		want    result
		batches int // without the read before
	}{
		{"all", []line{{text: "a"}, {text: "b", service: true}, {text: "c"}}, 0,
			result{"line a, line b, line c", "", ""}, 3},
		{"a step fails", []line{{text: "a"}, {text: "b", step: `echo no >&2; exit 3`}, {text: "c"}, {text: "d", service: true}}, 0,
			result{"line a", "line b, line c, line d", "line b: no"}, 2},
		{"a step fails without a word", []line{{text: "a", step: `exit 7`}}, 0,
			result{"", "line a", "line a: exit status 7"}, 2},
		{"a service fails", []line{{text: "a"}, {text: "b", service: true, step: `echo its journal; exit 1`}}, 0,
			result{"line a", "line b", "line b: its journal"}, 3},
		{"no effect", []line{{text: "a", step: `:`}}, 0,
			result{"line a", "", "line a: not idempotent: right after the apply it still differs (update)"}, 2},
		{"lost before the services", []line{{text: "a"}, {text: "b", service: true}}, 3,
			result{"line a", "line b", "the connection was lost"}, 3},
		{"lost before the last look", []line{{text: "a"}}, 3,
			result{"line a", "", "verify: the connection was lost"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := t.TempDir() + "/file"
			var resources []modules.Resource
			for _, l := range tt.lines {
				l.file = file
				resources = append(resources, l)
			}
			s := &shell{t: t, lose: tt.lose}
			p := planned(t, s, resources)
			var made []Change
			o := p.Apply(t.Context(), hostOf{s}, Order{Audit: "run 1", Made: func(c Change, _ time.Duration) { made = append(made, c) }})
			got := result{names(o.Done), names(o.Pending), ""}
			if o.Err != nil {
				got.err = o.Err.Error()
			}
			if got != tt.want {
				t.Errorf("\n got %+v\nwant %+v", got, tt.want)
			}
			if names(made) != names(o.Done) || !o.Touched || o.Converged() != (tt.want.err == "") {
				t.Errorf("made %s, done %s, touched %v, converged %v", names(made), names(o.Done), o.Touched, o.Converged())
			}
			if got := len(s.batches) - 1; got != tt.batches {
				t.Errorf("%d round trips, want %d", got, tt.batches)
			}
		})
	}
}

// hostOf is a shell whose own facts are those of the tests.
type hostOf struct{ *shell }

func (h hostOf) Run(ctx context.Context, done func(int, modules.Result), commands ...modules.Command) ([]modules.Result, error) {
	results, err := h.shell.Run(ctx, done, commands...)
	if err == nil && commands[0].Script == modules.FactsProbe().Script {
		results[0].Stdout = facts
	}
	return results, err
}

func TestAudit(t *testing.T) {
	file := journal(t)
	resources := []modules.Resource{line{file: t.TempDir() + "/file", text: "a"}, line{file: t.TempDir() + "/file", text: "$(b)"}}
	s := &shell{t: t}
	if o := planned(t, s, resources).Apply(t.Context(), hostOf{s}, Order{Audit: "run 7f3a by maia from laptop", Made: func(Change, time.Duration) {}}); o.Err != nil {
		t.Fatal(o.Err)
	}
	got, err := os.ReadFile(file)
	if want := "-t xmrfleet -p notice\nrun 7f3a by maia from laptop: update line a; update line $(b)\n" +
		"-t xmrfleet -p notice\nrun 7f3a by maia from laptop: made all 2 changes\n"; string(got) != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

func TestApplyStops(t *testing.T) {
	journal(t)
	file := t.TempDir() + "/file"
	resources := []modules.Resource{line{file: file, text: "a"}, line{file: file, text: "b", service: true}}
	s := &shell{t: t}
	p := planned(t, s, resources)

	stop := make(chan struct{})
	o := p.Apply(t.Context(), hostOf{s}, Order{Stop: stop, Audit: "run 1", Made: func(Change, time.Duration) { close(stop) }})
	if !errors.Is(o.Err, ErrInterrupted) || names(o.Done) != "line a" || names(o.Pending) != "line b" {
		t.Errorf("stopped between batches: %+v", o)
	}
	o = p.Apply(t.Context(), hostOf{s}, Order{Stop: stop, Audit: "run 1"})
	if !errors.Is(o.Err, ErrInterrupted) || o.Touched {
		t.Errorf("stopped before: %+v", o)
	}
}

func TestMakeRefuses(t *testing.T) {
	good := line{file: "/none", text: "a"}
	ok := modules.Result{Stdout: facts}
	for _, tt := range []struct {
		name    string
		answers []modules.Result
		want    string
	}{
		{"too few", []modules.Result{ok}, "read host: 1 answers to 3 questions"},
		{"no facts", []modules.Result{{Stdout: "hello\n"}, {}, {}}, `read facts: unexpected answer "hello"`},
		{"no systemd", []modules.Result{{Stdout: "uname=rig 6.1 x86_64\nos=Alpine\n"}, {}, {}},
			"host rig (Alpine): PID 1 is not systemd; xmrfleet manages Linux hosts with systemd 245 or later"},
		{"all that is wrong", []modules.Result{ok, {Status: 1, Stderr: "denied\n"}, {Stdout: "broken\n"}},
			"read line a: denied\nline b: cannot be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Make([]modules.Resource{good, line{file: "/none", text: "b"}}, tt.answers)
			if err == nil || err.Error() != tt.want {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}
