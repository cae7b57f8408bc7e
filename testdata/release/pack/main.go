// Command pack builds the XMRig simulator, packs it as a release archive into
// the directory that its argument names, and prints the archive's path and
// sha256.
package main

import (
	"context"
	"fmt"
	"os"

	"xmrfleet/testdata/release"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pack DIR")
		os.Exit(64)
	}
	a, err := release.Build(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
	fmt.Println(a.Path, a.SHA256)
}
