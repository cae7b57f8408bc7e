package main

import (
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"xmrfleet/hcl"
)

// completions holds a script for each shell, which asks "xmrfleet complete -- WORD..."
// for every candidate, so that no script has to know a command or a flag.
//
//go:embed completion
var completions embed.FS

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCmd) Run(p *Program) error {
	script, err := completions.ReadFile("completion/xmrfleet." + c.Shell)
	if err != nil {
		return err
	}
	_, err = p.out.Write(script)
	return err
}

// completeCmd serves the scripts. It prints a candidate a line, with a
// description after a tab, or ":files" where a file name is wanted.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"Two dashes, then the words after xmrfleet up to the cursor, the unfinished one last."`
}

func (c *completeCmd) Run(p *Program, k *kong.Context) error {
	if len(c.Words) < 2 || c.Words[0] != "--" {
		return nil
	}
	last := len(c.Words) - 1
	l := commandLine{node: k.Model.Node, file: "fleet.hcl", env: p.Env}
	for _, word := range c.Words[1:last] {
		l.read(word)
	}
	for _, candidate := range l.complete(c.Words[last]) {
		fmt.Fprintln(p.out, candidate)
	}
	return nil
}

// A commandLine is what was typed so far, as far as it can be understood.
type commandLine struct {
	node  *kong.Node
	flag  *kong.Flag // its value comes next
	args  int        // that stand there already
	plain bool       // nothing is a flag any more
	file  string     // the fleet file
	env   func(string) (string, bool)
}

// read takes the next whole word.
func (l *commandLine) read(word string) {
	switch {
	case l.flag != nil:
		l.set(l.flag, word)
		l.flag = nil
	case l.plain:
		l.args++
	case word == "--":
		l.plain = true
	case strings.HasPrefix(word, "--"):
		name, value, hasValue := strings.Cut(word[2:], "=")
		flag := l.find(func(f *kong.Flag) bool { return f.Name == name || slices.Contains(f.Aliases, name) })
		if hasValue {
			l.set(flag, value)
		} else if takesValue(flag) {
			l.flag = flag
		}
	case strings.HasPrefix(word, "-") && word != "-":
		l.cluster(word[1:])
	default:
		l.argument(word)
	}
}

// cluster takes a word of short flags, as -yl: the last one may have a value.
func (l *commandLine) cluster(letters string) {
	for i, letter := range letters {
		flag := l.find(func(f *kong.Flag) bool { return f.Short == letter })
		if !takesValue(flag) {
			continue
		}
		if value := letters[i+len(string(letter)):]; value != "" {
			l.set(flag, value)
		} else {
			l.flag = flag
		}
		return
	}
}

// argument takes a command's name or an argument.
func (l *commandLine) argument(word string) {
	for _, child := range l.node.Children {
		if l.args == 0 && (child.Name == word || slices.Contains(child.Aliases, word)) {
			l.node = child
			return
		}
	}
	l.args++
	l.plain = l.node.Passthrough || l.positional() != nil && l.positional().Passthrough
}

func (l *commandLine) set(flag *kong.Flag, value string) {
	if flag == nil || flag.Name != "file" {
		return
	}
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		home, _ := l.env("HOME")
		value = filepath.Join(home, rest)
	}
	l.file = value
}

func takesValue(f *kong.Flag) bool { return f != nil && !f.IsBool() && !f.IsCounter() }

func (l *commandLine) find(is func(*kong.Flag) bool) *kong.Flag {
	for _, group := range l.node.AllFlags(false) {
		if i := slices.IndexFunc(group, is); i >= 0 {
			return group[i]
		}
	}
	return nil
}

// positional is the argument that comes next, or nil.
func (l *commandLine) positional() *kong.Positional {
	list := l.node.Positional
	switch {
	case l.args < len(list):
		return list[l.args]
	case len(list) > 0 && list[len(list)-1].IsCumulative():
		return list[len(list)-1]
	}
	return nil
}

// complete lists what word can become.
func (l *commandLine) complete(word string) []string {
	var list []string
	switch {
	case l.flag != nil:
		list = l.values(l.flag.Value, l.flag.PlaceHolder, word)
	case !l.plain && strings.HasPrefix(word, "-"):
		name, value, hasValue := strings.Cut(word, "=")
		if !hasValue {
			list = l.flags()
			break
		}
		flag := l.find(func(f *kong.Flag) bool { return "--"+f.Name == name })
		if !takesValue(flag) {
			return nil
		}
		for _, v := range l.values(flag.Value, flag.PlaceHolder, value) {
			if v != wantFiles {
				v = name + "=" + v
			}
			list = append(list, v)
		}
	default:
		if l.args == 0 && !l.plain {
			list = l.commands()
		}
		if p := l.positional(); p != nil {
			list = append(list, l.values(p, p.Name, word)...)
		}
	}
	return slices.DeleteFunc(list, func(c string) bool { return c != wantFiles && !strings.HasPrefix(c, word) })
}

// wantFiles asks the shell to complete names of files, which it does better.
const wantFiles = ":files"

func (l *commandLine) flags() []string {
	var list []string
	for _, group := range l.node.AllFlags(true) {
		for _, f := range group {
			list = append(list, "--"+f.Name+"\t"+f.Help)
		}
	}
	return list
}

func (l *commandLine) commands() []string {
	var list []string
	for _, child := range l.node.Children {
		if !child.Hidden {
			list = append(list, child.Name+"\t"+child.Help)
		}
	}
	return list
}

// values lists what a flag or an argument can be. name is what the help calls
// the value, as HOSTS or FILE, and says of what kind it is.
func (l *commandLine) values(v *kong.Value, name, word string) []string {
	switch name = strings.ToLower(name); {
	case v.Enum != "":
		return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
	case name == "file" || name == "files" || name == "plan":
		return []string{wantFiles}
	case name == "host" || name == "hosts":
		return l.hosts(word)
	}
	return nil
}

// hosts completes the last element of a list that commas separate.
func (l *commandLine) hosts(word string) []string {
	before := word[:strings.LastIndexByte(word, ',')+1]
	given := strings.Split(before, ",")
	hosts, groups := hcl.Names(l.file)
	for _, g := range groups {
		hosts = append(hosts, "@"+g)
	}
	var list []string
	for _, h := range append(hosts, "@failed") {
		if !slices.Contains(given, h) {
			list = append(list, before+h)
		}
	}
	return list
}
