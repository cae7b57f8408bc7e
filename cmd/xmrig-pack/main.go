// Command xmrig-pack builds the XMRig simulator, packs it as a release archive
// into the directory that its argument names, and prints the archive's path and
// sha256. The demonstration runs it; it is never shipped. How an archive looks
// is the business of package release.
package main

import (
	"context"
	"fmt"
	"os"

	"xmrfleet/cmd/internal/release"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: xmrig-pack DIR")
		os.Exit(64)
	}
	a, err := release.Build(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "xmrig-pack:", err)
		os.Exit(1)
	}
	fmt.Println(a.Path, a.SHA256)
}
