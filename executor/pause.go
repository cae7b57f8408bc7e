package executor

import "time"

// A host whose connection was lost is tried again after a pause, each twice
// the last: from ShortestPause to LongestPause.
const (
	ShortestPause = time.Second
	LongestPause  = 30 * time.Second
)
