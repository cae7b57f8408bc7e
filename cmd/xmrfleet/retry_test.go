package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/hcl"
)

func TestRetry(t *testing.T) {
	sessions := []*session{
		{host: hcl.Host{Name: "mini-1"}, err: errors.New("no route to host")},
		{host: hcl.Host{Name: "mini-2"}},
		{host: hcl.Host{Name: "mini-3"}, err: errors.New("no route to host")},
	}
	for args, want := range map[string]string{
		"apply":                                      "xmrfleet apply -l mini-1,mini-3",
		"apply --yes -f other.hcl":                   "xmrfleet apply --yes -f other.hcl -l mini-1,mini-3",
		"apply -l mini-* --yes":                      "xmrfleet apply --yes -l mini-1,mini-3",
		"apply -lmini-* -y":                          "xmrfleet apply -y -l mini-1,mini-3",
		"apply -yl mini-* -v":                        "xmrfleet apply -y -v -l mini-1,mini-3",
		"apply --limit=@a --exclude mini-4 -y":       "xmrfleet apply -y -l mini-1,mini-3",
		"apply --limit @a --exclude=mini-4 -y":       "xmrfleet apply -y -l mini-1,mini-3",
		"apply --var token=it's-secret":              "xmrfleet apply --var 'token=(sensitive)' -l mini-1,mini-3",
		"apply --var=token=it's-secret --timeout 1m": "xmrfleet apply '--var=token=(sensitive)' --timeout 1m -l mini-1,mini-3",
		"apply --all -y":                             "xmrfleet apply -y -l mini-1,mini-3",
		"exec -l mini-* -- rm -l --all":              "xmrfleet exec -l mini-1,mini-3 -- rm -l --all",
		"apply --var x=$(id)":                        "xmrfleet apply --var 'x=$(id)' -l mini-1,mini-3",
	} {
		p := &Program{args: strings.Fields(args), out: view.NewPrinter(io.Discard, false, 0)}
		p.out.Hide([]string{"it's-secret"})
		if got := p.retry(failedOf(sessions)); got != want {
			t.Errorf("%s\n got %s\nwant %s", args, got, want)
		}
	}
	p := &Program{args: []string{"apply"}, out: view.NewPrinter(os.Stdout, false, 0)}
	if got := p.retry(failedOf(sessions[1:2])); got != "" {
		t.Errorf("nothing failed, got %s", got)
	}
}
