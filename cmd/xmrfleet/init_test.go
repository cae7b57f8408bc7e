package main

import (
	"os"
	"testing"

	"xmrfleet/modules/golden"
)

// The example is one file in two places.
func TestExampleIsTheRepositorys(t *testing.T) {
	repositorys, err := os.ReadFile("../../fleet.hcl")
	if err != nil {
		t.Fatal(err)
	}
	golden.Text(t, "example.hcl", string(repositorys))
}
