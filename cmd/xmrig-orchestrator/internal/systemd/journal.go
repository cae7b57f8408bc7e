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
	journalLines = "200" // that are looked at
	maxErrors    = 3
	maxLine      = 200
)

// The words by which a line of the miner's log tells of an error. XMRig has no
// levels: it marks errors by their colour, which a journal does not keep.
var errorWords = []string{"error", "fail", "invalid", "unable", "cannot", "denied",
	"not available", "no active pools", "no valid configuration", "exception", "terminate"}

// Errors returns the last lines with errors that a unit wrote to a journal
// namespace since a moment, the newest last, each one once. They lack the time
// that XMRig puts before them.
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

func errorLines(log string) []string {
	var found []string
	lines := strings.Split(log, "\n")
	for _, line := range slices.Backward(lines) {
		line = message(line)
		lower := strings.ToLower(line)
		telling := slices.ContainsFunc(errorWords, func(word string) bool { return strings.Contains(lower, word) })
		if !telling || slices.Contains(found, line) {
			continue
		}
		if found = append(found, line); len(found) == maxErrors {
			break
		}
	}
	slices.Reverse(found)
	return found
}

// message cuts the time from a line of XMRig's log, and bounds what is left.
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
