//go:build !linux

package systemd

import (
	"errors"
	"time"
)

func SinceBoot() (time.Duration, error) { return 0, errors.ErrUnsupported }
