package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules/agent"
)

type manCmd struct{}

// Run prints the manual in the language of man(7). All that it knows of
// commands and flags comes from the model that parses them.
func (c *manCmd) Run(p *Program, k *kong.Context) error {
	m := manual{app: k.Model}
	m.write()
	_, err := io.WriteString(p.out, m.text.String())
	return err
}

// manualEnvironment and manualFiles are what the flags do not tell.
const (
	manualEnvironment = `XMRFLEET_SSH_CONFIG|The ssh configuration, as --ssh-config.
XMRFLEET_VAR_NAME|The value of the variable NAME of the fleet file, where --var gives none.
NO_COLOR|If it is not empty, nothing is coloured.
GITHUB_ACTIONS|If it is "true", errors become annotations and the step gets a summary.
SSH_AUTH_SOCK|The ssh agent, unless the ssh configuration names another one.`
	manualFiles = `fleet.hcl|The fleet: hosts, wallet, pools and what is to run. xmrfleet init writes a commented one.
~/.ssh/config|How hosts are reached, where the fleet file does not say it. It is read by ssh -G.
~/.ssh/known_hosts|The keys of the hosts. They are verified.
~/.cache/xmrfleet|What rerun and @failed mean: the last command that was to change hosts of each fleet file, without secrets. Also the names and addresses of the hosts that an apply changed, and the checksums of XMRig's executables in releases that were opened. It may be deleted. $XDG_CACHE_HOME takes the place of ~/.cache.`
)

// A manual is a manual page while it is written.
type manual struct {
	app  *kong.Application
	text strings.Builder
}

func (m *manual) write() {
	about, codes, _ := strings.Cut(m.app.Help, "\n\nExit codes:\n")
	m.line(`.TH XMRFLEET 1 "" "xmrfleet %s" "User Commands"`, roff(version))
	m.section("NAME")
	m.line(`xmrfleet \- keep a fleet of XMRig hosts as one file describes it`)
	m.section("SYNOPSIS")
	m.line(".B xmrfleet\n.I command\n.RI [ flags ]")
	m.section("DESCRIPTION")
	m.line("%s", roff(about))
	m.section("COMMANDS")
	for _, command := range m.app.Children {
		if !command.Hidden {
			m.command(command)
		}
	}
	m.section("COMMON FLAGS")
	for _, flag := range m.common() {
		m.flag(flag)
	}
	m.section("THRESHOLDS")
	m.line("%s", roff("What the health agent decides with. Each is an attribute of the block agent of the fleet file, a duration as \"90s\" or a number; its default stands behind it."))
	for _, t := range agent.Thresholds {
		m.line(".TP\n.B %s", roff(fmt.Sprintf("%s (%s)", t.Name, t)))
		m.line("%s", roff(view.Capitalized(t.Meaning)+"."))
	}
	m.section("EXIT STATUS")
	m.exitCodes(codes)
	m.section("ENVIRONMENT")
	m.list(manualEnvironment)
	m.section("FILES")
	m.list(manualFiles)
	m.section("SEE ALSO")
	m.line(".BR ssh (1),\n.BR ssh_config (5),\n.BR systemctl (1),\n.BR journalctl (1)")
}

func (m *manual) line(format string, args ...any) {
	fmt.Fprintf(&m.text, format+"\n", args...)
}

func (m *manual) section(name string) { m.line(".SH %s", name) }

func (m *manual) command(command *kong.Node) {
	synopsis := command.Name
	for _, argument := range command.Positional {
		synopsis += " " + argument.Summary()
	}
	m.line(".SS %s", roff(synopsis))
	m.line("%s", roff(command.Help))
	if detail, _, _ := strings.Cut(command.Detail, examplesHead); strings.TrimSpace(detail) != "" {
		m.line(".PP\n%s", roff(strings.TrimSpace(detail)))
	}
	common := m.common()
	for _, flag := range command.Flags {
		if !flag.Hidden && !slices.ContainsFunc(common, func(c *kong.Flag) bool { return same(c, flag) }) {
			m.flag(flag)
		}
	}
	if text := examples[command.Name]; text != "" {
		m.line(".PP\nFor example:\n.PP\n.RS 4\n.nf")
		for line := range strings.Lines(strings.TrimPrefix(text, "\n")) {
			m.line("%s", roff(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "  ")))
		}
		m.line(".fi\n.RE")
	}
}

// common lists the flags of all commands and those that many share.
func (m *manual) common() []*kong.Flag {
	list := slices.Clone(m.app.Flags)
	var all []*kong.Flag
	for _, command := range m.app.Children {
		all = append(all, command.Flags...)
	}
	for _, flag := range all {
		known := func(other *kong.Flag) bool { return same(flag, other) }
		shared := 0
		for _, other := range all {
			if known(other) {
				shared++
			}
		}
		if shared >= 5 && !slices.ContainsFunc(list, known) {
			list = append(list, flag)
		}
	}
	return list
}

func same(a, b *kong.Flag) bool { return a.Name == b.Name && a.Help == b.Help && a.Short == b.Short }

func (m *manual) flag(f *kong.Flag) {
	m.line(".TP\n.B %s", roff(f.String()))
	text := f.Help
	for _, env := range f.Envs {
		text += " In the environment: " + env + "."
	}
	m.line("%s", roff(text))
}

// exitCodes turns the table of the help into a list.
func (m *manual) exitCodes(table string) {
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		n := 1
		for strings.HasSuffix(words[n-1], ",") {
			n++
		}
		m.line(".TP\n.B %s\n%s", roff(strings.Join(words[:n], " ")), roff(strings.Join(words[n:], " ")))
	}
}

// list writes terms and what they mean, with a bar between them.
func (m *manual) list(text string) {
	for line := range strings.Lines(text) {
		term, meaning, _ := strings.Cut(strings.TrimSpace(line), "|")
		m.line(".TP\n.B %s\n%s", roff(term), roff(meaning))
	}
}

// roff escapes text so that it is not read as commands and looks as it is:
// groff_char(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "~", `\(ti`, "^", `\(ha`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
