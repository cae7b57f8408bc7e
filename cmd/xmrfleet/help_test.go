package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// words splits an example as a shell would, as far as examples need it.
var words = regexp.MustCompile(`'[^']*'|[^\s']+`)

func TestExamples(t *testing.T) {
	newParser := func() *kong.Kong {
		parser, err := kong.New(&CLI{}, kong.Name("xmrfleet"), kong.Vars{"version": ""})
		if err != nil {
			t.Fatal(err)
		}
		return parser
	}
	for _, command := range newParser().Model.Children {
		text := examples[command.Name]
		if text == "" && !command.Hidden {
			t.Errorf("%s has no example", command.Name)
		}
		for line := range strings.Lines(text) {
			_, line, found := strings.Cut(line, "xmrfleet ")
			if !found {
				continue
			}
			line, _, _ = strings.Cut(line, " #")
			line, _, _ = strings.Cut(line, " |")
			line, _, _ = strings.Cut(line, " >")
			args := words.FindAllString(strings.TrimSuffix(strings.TrimSpace(line), ")"), -1)
			for i := range args {
				args[i] = strings.Trim(args[i], "'")
			}
			parsed, err := newParser().Parse(args)
			if err != nil {
				t.Errorf("xmrfleet %s: %v", line, err)
			} else if name, _, _ := strings.Cut(parsed.Command(), " "); name != command.Name {
				t.Errorf("xmrfleet %s is an example of %s, not of %s", line, name, command.Name)
			}
		}
	}
}
