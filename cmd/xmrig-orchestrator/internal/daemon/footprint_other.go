//go:build !linux

package daemon

func disableHugePages() error { return nil }

type region struct{}

func codeRegions() ([]region, error) { return nil, nil }

func releaseCode([]region) {}
