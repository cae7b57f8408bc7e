package modules

// Scripts that run a command line, or a program with its arguments.
const (
	lineScript  = `cd 2>/dev/null; exec /bin/sh -c -- "$1"`
	wordsScript = `cd 2>/dev/null; exec "$@"`
)

// Exec runs in the home directory: one word as a line for /bin/sh, several as a
// program and its arguments, which no shell looks at.
func Exec(words ...string) Command {
	if len(words) == 1 {
		return Command{Script: lineScript, Args: words}
	}
	return Command{Script: wordsScript, Args: words}
}
