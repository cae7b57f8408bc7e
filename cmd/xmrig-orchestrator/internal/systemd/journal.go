package systemd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	journalLines = "200" // how many of the last lines are searched
	maxErrors    = 3
	maxLine      = 200
)

// errorWords tell that a line of the miner's log is an error. XMRig's log has no
// levels: it marks errors by colour, and a journal keeps none.
var errorWords = []string{"error", "fail", "invalid", "unable", "cannot", "denied",
	"not available", "no active pools", "no valid configuration", "exception", "terminate"}

// Errors returns the last errors that a unit logged to a journal namespace after a
// time, the newest last, each text once. XMRig's own time is cut from them.
func Errors(ctx context.Context, unit, namespace string, since time.Time) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := command(ctx, "journalctl", "--namespace="+namespace, "--quiet", "--no-pager", "--output=cat",
		"--lines="+journalLines, "--since=@"+strconv.FormatInt(since.Unix(), 10), "--unit="+unit).Output()
	if err != nil {
		return nil, fmt.Errorf("journalctl %s: %w", unit, reason(ctx, err))
	}
	return errorLines(string(out)), nil
}

// errorLines returns the last maxErrors lines of a log that are errors.
func errorLines(log string) []string {
	var found []string
	lines := strings.Split(log, "\n")
	for _, line := range slices.Backward(lines) {
		line = message(line)
		lower := strings.ToLower(line)
		isError := slices.ContainsFunc(errorWords, func(word string) bool { return strings.Contains(lower, word) })
		if !isError || slices.Contains(found, line) {
			continue
		}
		if found = append(found, line); len(found) == maxErrors {
			break
		}
	}
	slices.Reverse(found)
	return found
}

// message is a line of XMRig's log without its time, in one line of at most
// maxLine bytes.
func message(line string) string {
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if _, after, ok := strings.Cut(rest, "]"); ok {
			line = after
		}
	}
	line = strings.ToValidUTF8(strings.Join(strings.Fields(line), " "), "?")
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return line
}
