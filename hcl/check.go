package hcl

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/crypto/ssh"
)

// A check says what is wrong with a value, in words that follow the name of
// the attribute: "must be ...". It is empty if nothing is. The value is known,
// not null, unmarked and of the attribute's type. The words do not quote it:
// it may be a secret.
type check func(v cty.Value) string

func matches(pattern, complaint string) check {
	re := regexp.MustCompile(pattern)
	return func(v cty.Value) string {
		if re.MatchString(v.AsString()) {
			return ""
		}
		return complaint
	}
}

// satisfies turns a predicate on strings into a check.
func satisfies(ok func(string) bool, complaint string) check {
	return func(v cty.Value) string {
		if ok(v.AsString()) {
			return ""
		}
		return complaint
	}
}

func oneOf(words ...string) check {
	return func(v cty.Value) string {
		if given := v.AsString(); !slices.Contains(words, given) {
			return "must be one of " + quotedList(words) + "." + didYouMean(given, words)
		}
		return ""
	}
}

func quotedList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return strings.Join(quoted, ", ")
}

func wholeNumber(low, high int64) check {
	return func(v cty.Value) string {
		if isWhole(v, low, high) {
			return ""
		}
		return "must be " + wholeRange(low, high)
	}
}

func isWhole(v cty.Value, low, high int64) bool {
	n, accuracy := v.AsBigFloat().Int64()
	return accuracy == big.Exact && low <= n && n <= high
}

func wholeRange(low, high int64) string {
	return fmt.Sprintf("a whole number from %d to %d", low, high)
}

// isDonateLevel: XMRig takes 1 to 99 and turns anything else into 1 without a
// word (XMRig source Pools.cpp:218, donate.h:40).
func isDonateLevel(v cty.Value) string {
	complaint := wholeNumber(1, 99)(v)
	if complaint != "" && v.AsBigFloat().Sign() == 0 {
		return "must be at least 1: XMRig silently replaces 0 by 1, so the file would not say what the miner does"
	}
	return complaint
}

var (
	isText = matches(`^[^\s\x00-\x1f\x7f-][^\x00-\x1f\x7f]*$`, "must be a text without control characters that does not start with a dash or space")
	isWord = matches(`^[^\s\x00-\x1f\x7f]+$`, "must be a text without spaces, and not empty")
	isName = satisfies(isHostName, hostNameRule)

	isSHA256 = matches(`^[0-9a-fA-F]{64}$`, "must be a SHA-256 checksum: 64 hexadecimal digits")

	isAbsolutePath = satisfies(func(s string) bool {
		return strings.HasPrefix(s, "/") && !strings.HasSuffix(s, "/") && isPlainPath(s)
	}, "must be the absolute path of a file, without . and .. in it")

	isPoolURL = satisfies(func(s string) bool {
		for _, scheme := range []string{"stratum+tcp://", "stratum+ssl://"} {
			s = strings.TrimPrefix(s, scheme)
		}
		return isHostPort(s)
	}, `must have the form "host:port"`)

	isProxy = satisfies(isHostPort, `must have the form "host:port"`)
)

func isPlainPath(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if part == "." || part == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// isInterval holds polls apart by a second at least and an hour at most.
func isInterval(v cty.Value) string {
	d, err := time.ParseDuration(v.AsString())
	if err != nil || d < time.Second || d > time.Hour {
		return `must be a duration from "1s" to "1h"`
	}
	return ""
}

// areHostKeys takes a public key or a list of them.
func areHostKeys(v cty.Value) string {
	keys, ok := stringList(v)
	if !ok || len(keys) == 0 {
		return "must be a public key or a list of them"
	}
	for _, key := range keys {
		if _, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(key)); err != nil || len(options) > 0 || len(rest) > 0 {
			return `must be a public key as ssh-keyscan prints it, without the host: "ssh-ed25519 AAAA..."`
		}
	}
	return ""
}

// stringList is a string, or the elements of a list, set or tuple of strings.
// The value is known and holds no marks.
func stringList(v cty.Value) ([]string, bool) {
	if v.Type() == cty.String {
		return []string{v.AsString()}, !v.IsNull()
	}
	t := v.Type()
	if v.IsNull() || !(t.IsListType() || t.IsSetType() || t.IsTupleType()) {
		return nil, false
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if element.Type() != cty.String || element.IsNull() {
			return nil, false
		}
		out = append(out, element.AsString())
	}
	return out, true
}
