package roster

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// patience is how long git may take. It only looks up two files.
const patience = 5 * time.Second

// Committed are the texts of a file as the last commit of its repository has it
// and the one before: in a clean checkout, what the last change made of it. There
// are none where there is no repository, no git, or no such commit.
func Committed(file string) [][]byte {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var texts [][]byte
	for _, commit := range []string{"HEAD", "HEAD^"} {
		git := exec.CommandContext(ctx, "git", "-C", filepath.Dir(file), "cat-file", "blob", commit+":./"+filepath.Base(file))
		if text, err := git.Output(); err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}
