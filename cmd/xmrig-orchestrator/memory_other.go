//go:build !linux

package main

func disableHugePages() error { return nil }
