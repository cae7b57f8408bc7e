package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// examples are shown by the help of a command and in the manual. A test runs
// each through the parser.
var examples = map[string]string{
	"plan": `
  xmrfleet plan
  xmrfleet plan -l 'mini-*,@office' --exclude mini-3
  xmrfleet plan --detailed-exitcode      # 2: there is something to do
  xmrfleet plan --out next.plan          # to be applied as it is, or not at all`,
	"apply": `
  xmrfleet apply                         # shows the plan and asks
  xmrfleet apply --yes -l @office        # in CI
  xmrfleet apply --lock-timeout 5m       # waits where another run holds a host
  xmrfleet apply --target agent          # only the health agent
  xmrfleet apply next.plan               # what "plan --out next.plan" showed`,
	"status": `
  xmrfleet status
  xmrfleet status --why mini-1           # what its agent saw and did
  xmrfleet status --watch                # until Ctrl-C
  xmrfleet status -l @office || mail -s miners ops@example.org </dev/null`,
	"logs": `
  xmrfleet logs -l mini-1 -f
  xmrfleet logs --since '1 hour ago'`,
	"exec": `
  xmrfleet exec -- 'uptime; who'
  xmrfleet exec --sudo -l @office -- systemctl restart systemd-timesyncd`,
	"rerun": `
  xmrfleet rerun
  xmrfleet rerun apply                   # also after an exec that failed`,
	"facts": `
  xmrfleet facts
  xmrfleet facts -l mini-1 --json`,
	"start": `
  xmrfleet start -l mini-1
  xmrfleet start --yes                   # the whole fleet`,
	"stop": `
  xmrfleet stop -l @office --reason 'new fans'`,
	"restart": `
  xmrfleet restart -l 'mini-*' --reason 'new kernel'
  xmrfleet restart -l mini-1 --direct    # past an agent that is dead`,
	"history": `
  xmrfleet history -l mini-1
  xmrfleet history --since 7d            # who changed what, by the journals`,
	"forget": `
  xmrfleet forget h4`,
	"validate": `
  xmrfleet validate
  xmrfleet validate -f other.hcl --var site=attic`,
	"fmt": `
  xmrfleet fmt
  xmrfleet fmt --check`,
	"init": `
  xmrfleet init
  xmrfleet init --kamal config/deploy.yml`,
	"render": `
  xmrfleet render mini-1`,
	"ssh-check": `
  xmrfleet ssh-check
  xmrfleet ssh-check -l mini-1 --connect-timeout 30s`,
	"man": `
  xmrfleet man | man -l -
  xmrfleet man | sudo tee /usr/local/share/man/man1/xmrfleet.1 >/dev/null`,
	"completion": `
  source <(xmrfleet completion bash)     # in ~/.bashrc
  source <(xmrfleet completion zsh)      # in ~/.zshrc, after compinit
  xmrfleet completion fish >~/.config/fish/completions/xmrfleet.fish`,
}

// examplesHead stands between what a command does and its examples.
const examplesHead = "Examples:"

// describe adds to each command what its own flags do not tell.
func describe(app *kong.Application) {
	for _, command := range app.Children {
		if text := examples[command.Name]; text != "" && !command.Hidden {
			command.Detail = strings.TrimSpace(command.Detail + "\n\n" + examplesHead + text +
				"\n\nThe exit codes are those of `xmrfleet --help`.")
		}
	}
}
