package modules

import (
	"regexp"
	"strings"
)

// maskUnit is a File.Show for unit files, which may be those of others: variables
// show their names, and flags of XMRig that take an account or a password hide it.
func maskUnit(content []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(content)) {
		out.WriteString(maskUnitLine(line))
	}
	return out.String()
}

// plainVariables are those that our units have, and that of the database.
var plainVariables = map[string]bool{"HOME": true, "GOMAXPROCS": true, "XMRIG_DB_PATH": true}

var (
	environmentLine = regexp.MustCompile(`^\s*Environment\s*=`)
	commandLine     = regexp.MustCompile(`^\s*ExecStart\s*=`)
	// A variable is NAME=VALUE, quoted as a whole or from its value on.
	variable   = regexp.MustCompile(`(["']?)([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|'[^']*'|[^\s"']*(?:[^"'\n]*["'])?)`)
	secretFlag = regexp.MustCompile(`((?:^|\s)(?:-[upO]|--user|--pass|--userpass|--http-access-token|--spend-secret-key)(?:=|\s+))("[^"]*"|'[^']*'|\S+)`)
)

func maskUnitLine(line string) string {
	if commandLine.MatchString(line) {
		return secretFlag.ReplaceAllString(line, "${1}"+Masked)
	}
	head := environmentLine.FindString(line)
	if head == "" {
		return line
	}
	return head + variable.ReplaceAllStringFunc(line[len(head):], func(found string) string {
		m := variable.FindStringSubmatch(found)
		if plainVariables[m[2]] {
			return found
		}
		return m[1] + m[2] + "=" + Masked + m[1]
	})
}
