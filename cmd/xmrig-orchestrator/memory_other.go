//go:build !linux

package main

func disableHugePages() error { return nil }

type region struct{}

func codeRegions() ([]region, error) { return nil, nil }

func releaseCode([]region) {}
