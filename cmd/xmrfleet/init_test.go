package main

import (
	"os"
	"testing"
)

// The example is one file in two places.
func TestExampleIsTheRepositorys(t *testing.T) {
	want, err := os.ReadFile("../../fleet.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("example.hcl", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if example != string(want) {
		t.Error("cmd/xmrfleet/example.hcl differs from fleet.hcl; run `make golden`")
	}
}
