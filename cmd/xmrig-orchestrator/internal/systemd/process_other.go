//go:build !linux

package systemd

import (
	"errors"
	"time"
)

func CPUTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func BootID() (string, error) { return "", errors.ErrUnsupported }
