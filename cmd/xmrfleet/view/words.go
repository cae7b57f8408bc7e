package view

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Duration prints a time span as people want it: "0.4s", "12s", "2m05s".
func Duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

// ageText prints an age or an uptime: "45s", "12m", "3h05m", "9d4h".
func ageText(d time.Duration) string {
	switch d = max(0, d).Truncate(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// rate prints H/s with four digits that matter; "-" where XMRig has none yet.
func rate(r *float64) string {
	if r == nil {
		return "-"
	}
	if *r < 999.95 {
		return strconv.FormatFloat(*r, 'f', 1, 64)
	}
	return humanize.Comma(int64(math.Round(*r)))
}

// Plural is a number and its noun: "1 host", "2 hosts".
func Plural(n int, noun string) string { return fmt.Sprintf("%d %s", n, pluralWord(n, noun)) }

func pluralWord(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func isAre(n int, noun string) string {
	if n == 1 {
		return Plural(n, noun) + " is"
	}
	return Plural(n, noun) + " are"
}

func wasWere(n int, noun string) string {
	if n == 1 {
		return Plural(n, noun) + " was"
	}
	return Plural(n, noun) + " were"
}

var longHash = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{52}\b`)

// short cuts checksums to their first twelve digits.
func short(s string) string { return longHash.ReplaceAllString(s, "$1…") }

// Capitalized is a word as a sentence begins with it.
func Capitalized(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// oneLine joins the words of a text.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func indentRest(s, by string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+by)
}
