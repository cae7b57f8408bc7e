//go:build !linux

package wake

import "errors"

type Files struct{}

func WatchFiles() (*Files, error) { return nil, errors.ErrUnsupported }

func (*Files) Arm(string) error { return nil }

func (*Files) C() <-chan struct{} { return nil }

func (*Files) Close() error { return nil }
