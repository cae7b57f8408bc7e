package executor

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/sourcegraph/conc/iter"
)

// An Outcome is what became of one item of [Each].
type Outcome[R any] struct {
	Value R
	Err   error
}

// Each runs f for every item, at most limit at a time (0: all at once), and
// returns the outcomes in the order of the items. An error of one item stops
// no other. An item that was not started when ctx ended has ctx's cause as its
// error, and a panic becomes the error of its item.
func Each[T, R any](ctx context.Context, items []T, limit int, f func(context.Context, T) (R, error)) []Outcome[R] {
	if limit <= 0 {
		limit = max(1, len(items))
	}
	mapper := iter.Mapper[T, Outcome[R]]{MaxGoroutines: limit}
	return mapper.Map(items, func(item *T) (out Outcome[R]) {
		if ctx.Err() != nil {
			return Outcome[R]{Err: givenUp("start", context.Cause(ctx))}
		}
		defer func() {
			if p := recover(); p != nil {
				out.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		out.Value, out.Err = f(ctx, *item)
		return out
	})
}
