package executor

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// closeFunc is an [io.Closer].
type closeFunc func()

func (f closeFunc) Close() error { f(); return nil }

// A host is given up when it is silent, and only then.
func TestWatch(t *testing.T) {
	const longest = 309 * time.Second
	for _, test := range []struct {
		name  string
		heard func(c *connection)                      // what comes from the host beside answers
		ask   func(ended <-chan struct{}, n int) error // the n-th question
		ends  time.Duration                            // 0: never
		asked int
	}{
		{"it answers slowly", nil, func(<-chan struct{}, int) error { time.Sleep(9 * time.Second); return nil }, 0, 30},
		{"questions cannot be asked", nil, func(<-chan struct{}, int) error { return errors.New("no socket") }, 0, 30},
		{"it falls silent", nil, func(ended <-chan struct{}, n int) error {
			if n > 3 {
				<-ended
			}
			return nil
		}, 40*time.Second + 12*time.Second, 4},
		{"it speaks, though it does not answer", func(c *connection) {
			for range 20 {
				time.Sleep(10 * time.Second)
				c.heard.Store(time.Now().UnixNano())
			}
		}, func(ended <-chan struct{}, _ int) error { <-ended; return nil }, 200*time.Second + 12*time.Second, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				c := &connection{heard: new(atomic.Int64), ended: make(chan struct{})}
				c.closer = closeFunc(func() { close(c.ended) })
				asked := 0
				c.ask = func() error { asked++; return test.ask(c.ended, asked) }
				if test.heard != nil {
					go test.heard(c)
				}
				go c.watch(defaults)
				select {
				case <-c.ended:
				case <-time.After(longest):
				}
				took := time.Since(begun)
				if test.ends == 0 {
					if took != longest {
						t.Fatalf("given up after %s", took)
					}
					c.fail(errors.New("closed"))
				} else if cause := c.failure(); took != test.ends || cause == nil || cause.Error() != "no sign of life for 12s" {
					t.Errorf("ended after %s: %v, want %s", took, cause, test.ends)
				}
				synctest.Wait()
				if asked != test.asked {
					t.Errorf("asked %d times, want %d", asked, test.asked)
				}
			})
		})
	}
}
