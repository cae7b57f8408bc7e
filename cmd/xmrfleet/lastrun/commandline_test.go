package lastrun

import (
	"strings"
	"testing"
)

func TestRestricted(t *testing.T) {
	for args, want := range map[string]string{
		"apply":                                      "xmrfleet apply -l mini-1,mini-3",
		"apply --yes -f other.hcl":                   "xmrfleet apply --yes -f other.hcl -l mini-1,mini-3",
		"apply -l mini-* --yes":                      "xmrfleet apply --yes -l mini-1,mini-3",
		"apply -lmini-* -y":                          "xmrfleet apply -y -l mini-1,mini-3",
		"apply -yl mini-* -v":                        "xmrfleet apply -y -v -l mini-1,mini-3",
		"apply --limit=@a --exclude mini-4 -y":       "xmrfleet apply -y -l mini-1,mini-3",
		"apply --limit @a --exclude=mini-4 -y":       "xmrfleet apply -y -l mini-1,mini-3",
		"apply --var token=(sensitive)":              "xmrfleet apply --var 'token=(sensitive)' -l mini-1,mini-3",
		"apply --var=token=(sensitive) --timeout 1m": "xmrfleet apply '--var=token=(sensitive)' --timeout 1m -l mini-1,mini-3",
		"apply --all -y":                             "xmrfleet apply -y -l mini-1,mini-3",
		"exec -l mini-* -- rm -l --all":              "xmrfleet exec -l mini-1,mini-3 -- rm -l --all",
		"apply --var x=$(id)":                        "xmrfleet apply --var 'x=$(id)' -l mini-1,mini-3",
	} {
		if got := ShellLine(Restricted(strings.Fields(args), []string{"mini-1", "mini-3"})); got != want {
			t.Errorf("%s\n got %s\nwant %s", args, got, want)
		}
	}
}
