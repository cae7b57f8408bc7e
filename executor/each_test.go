package executor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xmrfleet/modules/hint"
)

func TestEach(t *testing.T) {
	var now, most atomic.Int32
	var seven sync.WaitGroup // the first seven wait for one another
	seven.Add(7)
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	outcomes := Each(t.Context(), items, 7, func(_ context.Context, i int) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if i < 7 {
			seven.Done()
			seven.Wait()
		}
		switch {
		case i == 13:
			panic("thirteen")
		case i%10 == 0:
			return 0, errors.New("ten")
		}
		return i * i, nil
	})
	for i, out := range outcomes {
		switch {
		case i == 13:
			if out.Err == nil || !strings.HasPrefix(out.Err.Error(), "panic: thirteen\n") {
				t.Errorf("panic: %v", out.Err)
			}
		case i%10 == 0:
			if out.Err == nil || out.Err.Error() != "ten" {
				t.Errorf("%d: %v", i, out.Err)
			}
		case out.Value != i*i || out.Err != nil:
			t.Errorf("%d: %+v", i, out)
		}
	}
	if most.Load() != 7 {
		t.Errorf("%d at a time, want 7", most.Load())
	}
}

func TestEachStopsStarting(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stop := errors.New("stop")
	var started atomic.Int32
	outcomes := Each(ctx, make([]int, 50), 2, func(context.Context, int) (bool, error) {
		switch n := started.Add(1); {
		case n == 5:
			cancel(stop)
		case n > 5:
			<-ctx.Done() // whoever calls cancel may be put off
		}
		return true, nil
	})
	var done, left int
	for _, out := range outcomes {
		switch {
		case out.Value:
			done++
		case hint.KindOf(out.Err) == Canceled && errors.Is(out.Err, stop):
			left++
		}
	}
	if done != int(started.Load()) || done > 7 || done+left != 50 {
		t.Errorf("%d done, %d left, %d started", done, left, started.Load())
	}
	if got := Each(ctx, []int(nil), 0, func(context.Context, int) (int, error) { return 0, nil }); len(got) != 0 {
		t.Errorf("nothing to do: %v", got)
	}
}

func TestEachAllAtOnce(t *testing.T) {
	const n = 200
	var here atomic.Int32
	all := make(chan struct{})
	Each(t.Context(), make([]int, n), 0, func(ctx context.Context, _ int) (int, error) {
		if here.Add(1) == n {
			close(all)
		}
		select {
		case <-all:
		case <-time.After(minutes):
			t.Error("not all run at once")
		}
		return 0, nil
	})
}
